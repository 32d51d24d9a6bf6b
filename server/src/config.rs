//! What an operator says on the command line, or in the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::HeaderValue;
use clap::{Args, Parser, Subcommand, ValueEnum};
use dezky_core::{DEFAULT_OPERATOR_AUDIENCE, Environment};

use crate::dev;
use crate::http::address::Network;
use crate::http::metrics_access::MetricsAccess;
use crate::http::places::PerAddress;
use crate::http::tls::TlsFiles;
use crate::identity::TrustedIssuer;
use crate::store::LogHead;
use crate::store::sqlite::Permissions;

/// The control plane of a platform: tenants, partners, users, subscriptions and flags.
#[derive(Debug, Parser)]
#[command(name = "dezky-server", version, about)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until told to stop
    Serve(Box<Settings>),
    /// Try what serve needs with these settings, and say what was found
    CheckConfig(Box<Settings>),
    /// Copy the data to a file, consistently, while the server goes on, and verify the copy
    Backup {
        /// Where it is
        #[command(flatten)]
        place: Place,
        /// The file to make; it must not be there yet
        file: PathBuf,
    },
    /// Verify a copy of the data: the file itself, the change log, and every record against the log
    VerifyBackup {
        /// The file that `backup` made
        file: PathBuf,
        /// A head that was kept outside
        #[command(flatten)]
        expected: ExpectedHead,
    },
    /// Go back to an older copy of the data on purpose: instances then take revisions that are older than theirs. Lists the machine keys and
    /// platform admins that the copy brings back
    NewHistory {
        /// Where it is
        #[command(flatten)]
        place: Place,
        /// Leave every machine key valid, those that were revoked since the copy was made as well
        #[arg(long)]
        keep_keys: bool,
        /// Revoke every machine key; the log says so
        #[arg(long, conflicts_with = "keep_keys")]
        revoke_keys: bool,
    },
    /// Verify the data: the change log, and every record against the log
    VerifyLog {
        /// Where it is
        #[command(flatten)]
        place: Place,
        /// A head that was kept outside
        #[command(flatten)]
        expected: ExpectedHead,
    },
    /// Print the versions of the server and of its parts
    Version,
}

/// Where the data is.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The directory of the data
    #[arg(long, env = "DEZKY_DATA", default_value = "./dezky-data", value_name = "DIR")]
    pub data: PathBuf,
    /// The database, instead of the one in the directory: sqlite:PATH-OF-A-DIRECTORY
    #[arg(long, env = "DEZKY_DATABASE", value_name = "URL")]
    pub database: Option<String>,
    /// Accept data that other accounts of this machine can use
    #[arg(long, env = "DEZKY_ALLOW_LOOSE_PERMISSIONS")]
    pub allow_loose_permissions: bool,
}

/// A head of the change log that was kept outside.
#[derive(Debug, Clone, Args)]
pub struct ExpectedHead {
    /// Fail unless the log has this change: what `backup`, `verify-log` or `GET /audit` said earlier
    #[arg(long, value_name = "REVISION:HASH")]
    pub expect: Option<LogHead>,
}

/// How to write the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: an object a line.
    Json,
}

/// Everything that `serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where to listen
    #[arg(long, env = "DEZKY_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Where the data is
    #[command(flatten)]
    pub place: Place,
    /// The environment that flags are evaluated in
    #[arg(long, env = "DEZKY_ENVIRONMENT", default_value = "production", value_name = "NAME")]
    pub environment: Environment,
    /// How to write the log
    #[arg(long, env = "DEZKY_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// An issuer whose tokens are accepted; may be repeated. RULE tells its access tokens from its ID tokens: generic or
    /// authentik [default rule: generic]
    #[arg(long = "issuer", env = "DEZKY_ISSUER", value_delimiter = ',', value_name = "URL[=RULE]")]
    pub issuers: Vec<TrustedIssuer>,
    /// Where the issuer's keys are, instead of what its discovery document says
    #[arg(long, env = "DEZKY_JWKS_URL", value_name = "URL")]
    pub jwks_url: Option<String>,
    /// The audiences whose tokens are accepted [also: AUTHENTIK_AUDIENCE]
    #[arg(long = "audience", env = "DEZKY_AUDIENCE", value_delimiter = ',', value_name = "NAMES")]
    pub audiences: Vec<String>,
    /// The audience of operators' tokens
    #[arg(long, env = "DEZKY_OPERATOR_AUDIENCE", default_value = DEFAULT_OPERATOR_AUDIENCE, value_name = "NAME")]
    pub operator_audience: String,
    /// The group at the identity provider whose members are platform admins
    #[arg(long, env = "DEZKY_ADMIN_GROUP", default_value = "dezky-platform-admins", value_name = "NAME")]
    pub admin_group: String,
    /// A PEM file with the private root of the identity provider; no other root is trusted for it then
    #[arg(long, env = "DEZKY_EXTRA_CA", value_name = "FILE")]
    pub extra_ca: Option<PathBuf>,
    /// Requests a second for each authenticated caller; 0 for no limit
    #[arg(long, env = "DEZKY_RATE_LIMIT", default_value_t = 2_000, value_name = "NUMBER")]
    pub rate_limit: u32,
    /// Failed authentications a second for each address; 0 for no limit
    #[arg(long, env = "DEZKY_FAILURE_LIMIT", default_value_t = 50, value_name = "NUMBER")]
    pub failure_limit: u32,
    /// A proxy, or a network of proxies, whose X-Forwarded-For says where a request comes from; may be repeated
    #[arg(
        long = "trusted-proxy",
        env = "DEZKY_TRUSTED_PROXY",
        value_delimiter = ',',
        value_name = "ADDRESS"
    )]
    pub trusted_proxies: Vec<Network>,
    /// Connections at a time from one address (IPv6: from one /64), trusted proxies excepted; 0 for no limit
    /// [default: 1000, and no limit on loopback]
    #[arg(long, env = "DEZKY_MAX_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    pub max_connections_per_address: Option<u32>,
    /// A PEM file with the certificate to serve TLS with, read again on SIGHUP
    #[arg(long, env = "DEZKY_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// A PEM file with the certificate's private key
    #[arg(long, env = "DEZKY_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A proxy in front serves TLS: listen beyond loopback without it
    #[arg(long, env = "DEZKY_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// The bearer token for /metrics; beyond loopback there are no metrics without it
    #[arg(long, env = "DEZKY_METRICS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub metrics_token: Option<String>,
    /// Where to serve /metrics instead, and nothing else; with plain http
    #[arg(long, env = "DEZKY_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// The origin of a portal whose pages may ask from a browser, with its scheme; may be repeated
    #[arg(long = "origin", env = "DEZKY_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    pub origins: Vec<HeaderValue>,
    /// Development mode: a built-in identity provider and sample data, on loopback only; needs a build with `--features dev`
    #[arg(long, env = "DEZKY_DEV")]
    pub dev: bool,
}

/// The audience of the portals' tokens in the built-in identity provider.
pub const DEV_AUDIENCE: &str = "dezky-portal";

/// An origin as a browser names it.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_good = rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '*', ' ']));
    let value = HeaderValue::try_from(text).ok().filter(|_| is_good && *text == text.to_ascii_lowercase());
    value.ok_or_else(|| {
        "an origin is a scheme, a host and perhaps a port: https://portal.example.org".to_owned()
    })
}

/// Why the settings cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

impl Settings {
    /// The settings with what follows from others; refused where they contradict each other.
    pub fn completed(mut self) -> Result<Settings, SettingsError> {
        if let Ok(further) = std::env::var("AUTHENTIK_AUDIENCE") {
            let named = further.split(',').map(str::trim).filter(|name| !name.is_empty());
            self.audiences.extend(named.map(str::to_owned));
        }
        if self.metrics_token.as_ref().is_some_and(String::is_empty) {
            return Err(SettingsError("--metrics-token is empty".to_owned()));
        }
        if self.dev {
            return self.completed_for_dev();
        }
        let problem = |text: &str| Err(SettingsError(text.to_owned()));
        if !self.listen.ip().is_loopback() && self.tls_cert.is_none() && !self.behind_proxy {
            return Err(SettingsError(format!(
                "--listen {} is beyond loopback: say --tls-cert and --tls-key, or --behind-proxy if a proxy in front serves TLS",
                self.listen
            )));
        }
        if self.issuers.is_empty() {
            return problem("no issuer: say --issuer URL, or --dev to try things out");
        }
        self.audiences.push(self.operator_audience.clone());
        self.distinct_audiences();
        self.place.directory()?;
        Ok(self)
    }

    fn completed_for_dev(mut self) -> Result<Settings, SettingsError> {
        dev::require_built_in().map_err(|error| SettingsError(error.to_string()))?;
        let problem = |text: &str| Err(SettingsError(text.to_owned()));
        if !self.listen.ip().is_loopback() {
            return problem("--dev listens on loopback only: whoever reaches it can be anybody");
        }
        if self.tls_cert.is_some() || self.behind_proxy {
            return problem(
                "--dev serves plain http on loopback: leave out --tls-cert, --tls-key and --behind-proxy",
            );
        }
        if !self.issuers.is_empty() || self.jwks_url.is_some() {
            return problem("--dev brings its own issuer: leave out --issuer and --jwks-url");
        }
        self.audiences = vec![DEV_AUDIENCE.to_owned(), self.operator_audience.clone()];
        self.distinct_audiences();
        self.place.directory()?;
        Ok(self)
    }

    /// The files to serve TLS with, if TLS is served.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        Some(TlsFiles { certificate: self.tls_cert.clone()?, key: self.tls_key.clone()? })
    }

    /// How many connections one address may have.
    pub fn per_address(&self) -> PerAddress {
        // A proxy that is not named looks like one client.
        let is_unnamed_proxy = self.behind_proxy && self.trusted_proxies.is_empty();
        let limit = self.max_connections_per_address.or(is_unnamed_proxy.then_some(0));
        PerAddress { limit, trusted: self.trusted_proxies.clone() }
    }

    /// Who may read the metrics where everything is served, and where the metrics have an address of their own.
    pub fn metrics_access(&self) -> (MetricsAccess, MetricsAccess) {
        let by_token = self.metrics_token.as_deref().map(MetricsAccess::token);
        let own = by_token.clone().unwrap_or(MetricsAccess::Open);
        let is_exposed = !self.listen.ip().is_loopback() || self.behind_proxy;
        let main = match (self.metrics_listen, by_token) {
            (Some(_), _) => MetricsAccess::Elsewhere,
            (None, Some(access)) => access,
            (None, None) if is_exposed => MetricsAccess::Closed,
            (None, None) => MetricsAccess::Open,
        };
        (main, own)
    }

    fn distinct_audiences(&mut self) {
        self.audiences.sort();
        self.audiences.dedup();
    }
}

impl Place {
    /// The permissions that the data may have.
    pub fn permissions(&self) -> Permissions {
        if self.allow_loose_permissions { Permissions::Loose } else { Permissions::Private }
    }

    /// The directory of the data.
    pub fn directory(&self) -> Result<PathBuf, SettingsError> {
        match self.database.as_deref() {
            None => Ok(self.data.clone()),
            Some(url) => match url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
                Some(path) => Ok(PathBuf::from(path)),
                None => Err(SettingsError(format!("--database {url}: only sqlite:DIRECTORY is known"))),
            },
        }
    }
}
