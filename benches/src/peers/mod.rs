//! The peers, each called in the fastest fair way that its source offers.

pub mod casbin;
pub mod cedar;
pub mod eppo;
pub mod launchdarkly;
pub mod unleash;

/// The peers in the order of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Eppo,
    Unleash,
    LaunchDarkly,
    Cedar,
    Casbin,
}

impl Peer {
    pub const ALL: [Peer; 5] = [Peer::Eppo, Peer::Unleash, Peer::LaunchDarkly, Peer::Cedar, Peer::Casbin];

    /// Returns the name of the package in the registry and in the lock file.
    pub fn package(self) -> &'static str {
        match self {
            Peer::Eppo => "eppo_core",
            Peer::Unleash => "unleash-yggdrasil",
            Peer::LaunchDarkly => "launchdarkly-server-sdk-evaluation",
            Peer::Cedar => "cedar-policy",
            Peer::Casbin => "casbin",
        }
    }
}
