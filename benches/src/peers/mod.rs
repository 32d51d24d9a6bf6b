//! The peers, each behind the fastest honest way of calling it that its own source offers.

pub mod casbin;
pub mod cedar;
pub mod eppo;
pub mod launchdarkly;
pub mod unleash;

/// The columns of the table, in order.
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

    /// The name of the package in the registry, which is also how the lock file calls it.
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
