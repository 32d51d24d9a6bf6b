//! The command line and its environment variables.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::HeaderValue;
use clap::{Args, Parser, Subcommand, ValueEnum};
use dezky_core::access::DEFAULT_OPERATOR_AUDIENCE;
use dezky_core::names::Environment;

use crate::dev;
use crate::http::address::Network;
use crate::http::connection_slots::AddressLimit;
use crate::http::metrics_access::MetricsAccess;
use crate::http::tls::TlsFiles;
use crate::identity::TrustedIssuer;
use crate::store::LogHead;
use crate::store::sqlite::Permissions;

/// The control plane of a platform: tenants, partners, users, subscriptions and flags.
#[derive(Debug, Parser)]
#[command(name = "dezky-server", version, about)]
pub struct CommandLine {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The command to run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server until it is stopped
    Serve(Box<Settings>),
    /// Check what `serve` needs with these settings, and print the findings
    CheckConfig(Box<Settings>),
    /// Copy the data to a file and verify the copy; the server can keep running
    Backup {
        /// The location of the data
        #[command(flatten)]
        data_location: DataLocation,
        /// The file to create; it must not exist
        file: PathBuf,
    },
    /// Verify a copy of the data: the file itself, the change log, and every record against the
    /// log
    VerifyBackup {
        /// The file that `backup` created
        file: PathBuf,
        /// A head of the change log that you kept
        #[command(flatten)]
        expected: ExpectedHead,
    },
    /// Return to an older copy of the data on purpose, so that instances accept its lower
    /// revisions. Lists the machine keys and platform admins that the copy brings back
    NewHistory {
        /// The location of the data
        #[command(flatten)]
        data_location: DataLocation,
        /// Keep every machine key valid, including those revoked since the copy was made
        #[arg(long)]
        keep_keys: bool,
        /// Revoke every machine key and record that in the change log
        #[arg(long, conflicts_with = "keep_keys")]
        revoke_keys: bool,
    },
    /// Verify the data: the change log, and every record against the log
    VerifyLog {
        /// The location of the data
        #[command(flatten)]
        data_location: DataLocation,
        /// A head of the change log that you kept
        #[command(flatten)]
        expected: ExpectedHead,
    },
    /// Print the versions of the server and of SQLite
    Version,
}

/// The location of the data.
#[derive(Debug, Clone, Args)]
pub struct DataLocation {
    /// The directory of the database
    #[arg(long, env = "DEZKY_DATA", default_value = "./dezky-data", value_name = "DIR")]
    pub data: PathBuf,
    /// The database instead of --data: sqlite:DIRECTORY
    #[arg(long, env = "DEZKY_DATABASE", value_name = "URL")]
    pub database: Option<String>,
    /// Accept data that other accounts of this machine can access
    #[arg(long, env = "DEZKY_ALLOW_LOOSE_PERMISSIONS")]
    pub allow_loose_permissions: bool,
}

/// A kept head of the change log.
#[derive(Debug, Clone, Args)]
pub struct ExpectedHead {
    /// Fail unless the log contains this change, as `backup`, `verify-log` or `GET /audit`
    /// printed it
    #[arg(long, value_name = "REVISION:HASH")]
    pub expect: Option<LogHead>,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Human-readable lines of text.
    Text,
    /// One JSON object per line.
    Json,
}

/// The settings of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The address to listen on
    #[arg(long, env = "DEZKY_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// The location of the data
    #[command(flatten)]
    pub data_location: DataLocation,
    /// The environment to evaluate flags in
    #[arg(long, env = "DEZKY_ENVIRONMENT", default_value = "production", value_name = "NAME")]
    pub environment: Environment,
    /// The format of the log
    #[arg(long, env = "DEZKY_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// An issuer whose tokens are accepted; can be repeated. RULE distinguishes its access tokens
    /// from its ID tokens: generic or authentik [default rule: generic]
    #[arg(long = "issuer", env = "DEZKY_ISSUER", value_delimiter = ',', value_name = "URL[=RULE]")]
    pub issuers: Vec<TrustedIssuer>,
    /// The URL of the issuer's keys, instead of the one in its discovery document
    #[arg(long, env = "DEZKY_JWKS_URL", value_name = "URL")]
    pub jwks_url: Option<String>,
    /// The audiences whose tokens are accepted [also: AUTHENTIK_AUDIENCE]
    #[arg(long = "audience", env = "DEZKY_AUDIENCE", value_delimiter = ',', value_name = "NAMES")]
    pub audiences: Vec<String>,
    /// The audience of operators' tokens
    #[arg(long, env = "DEZKY_OPERATOR_AUDIENCE", default_value = DEFAULT_OPERATOR_AUDIENCE, value_name = "NAME")]
    pub operator_audience: String,
    /// The group of platform admins at the identity provider
    #[arg(long, env = "DEZKY_ADMIN_GROUP", default_value = "dezky-platform-admins", value_name = "NAME")]
    pub admin_group: String,
    /// A PEM file with the private root certificate of the identity provider; it replaces all
    /// other roots
    #[arg(long, env = "DEZKY_EXTRA_CA", value_name = "FILE")]
    pub extra_ca: Option<PathBuf>,
    /// Requests per second for each authenticated caller; 0 for no limit
    #[arg(long, env = "DEZKY_RATE_LIMIT", default_value_t = 2_000, value_name = "NUMBER")]
    pub rate_limit: u32,
    /// Failed authentications per second for each address; 0 for no limit
    #[arg(long, env = "DEZKY_FAILURE_LIMIT", default_value_t = 50, value_name = "NUMBER")]
    pub failure_limit: u32,
    /// A proxy, or a network of proxies, whose X-Forwarded-For is trusted; can be repeated
    #[arg(
        long = "trusted-proxy",
        env = "DEZKY_TRUSTED_PROXY",
        value_delimiter = ',',
        value_name = "ADDRESS"
    )]
    pub trusted_proxies: Vec<Network>,
    /// Open connections from one address (IPv6: from one /64), except trusted proxies; 0 for no
    /// limit [default: 1000, and no limit on loopback]
    #[arg(long, env = "DEZKY_MAX_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    pub max_connections_per_address: Option<u32>,
    /// A PEM file with the TLS certificate and its chain; SIGHUP reloads it
    #[arg(long, env = "DEZKY_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// A PEM file with the private key of the certificate
    #[arg(long, env = "DEZKY_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A proxy in front serves TLS: allow listening beyond loopback without TLS
    #[arg(long, env = "DEZKY_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// The bearer token for /metrics; required to read them beyond loopback
    #[arg(long, env = "DEZKY_METRICS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub metrics_token: Option<String>,
    /// A separate address that serves only /metrics, over plain HTTP
    #[arg(long, env = "DEZKY_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// The origin of a portal whose pages may send requests from a browser, with its scheme; can
    /// be repeated
    #[arg(long = "origin", env = "DEZKY_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    pub origins: Vec<HeaderValue>,
    /// Run in development mode with a built-in identity provider and sample data, on loopback only;
    /// needs a build with `--features dev`
    #[arg(long, env = "DEZKY_DEV")]
    pub dev: bool,
}

/// The audience of portal tokens from the built-in identity provider.
pub const DEV_AUDIENCE: &str = "dezky-portal";

/// Parses an origin in the form that browsers send.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_good = rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '*', ' ']));
    let value = HeaderValue::try_from(text).ok().filter(|_| is_good && *text == text.to_ascii_lowercase());
    value.ok_or_else(|| {
        "an origin has a scheme, a host and optionally a port: https://portal.example.org".to_owned()
    })
}

/// The reason for which settings are invalid.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

impl Settings {
    /// Derives dependent settings and rejects contradictions.
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
                "--listen {} is beyond loopback: set --tls-cert and --tls-key, or --behind-proxy if a proxy in front serves TLS",
                self.listen
            )));
        }
        if self.issuers.is_empty() {
            return problem("no issuer: set --issuer URL, or --dev for a development server");
        }
        self.audiences.push(self.operator_audience.clone());
        self.distinct_audiences();
        self.data_location.directory()?;
        Ok(self)
    }

    fn completed_for_dev(mut self) -> Result<Settings, SettingsError> {
        dev::require_built_in().map_err(|error| SettingsError(error.to_string()))?;
        let problem = |text: &str| Err(SettingsError(text.to_owned()));
        if !self.listen.ip().is_loopback() {
            return problem("--dev listens on loopback only, because every client can sign in as any person");
        }
        if self.tls_cert.is_some() || self.behind_proxy {
            return problem(
                "--dev serves plain HTTP on loopback: remove --tls-cert, --tls-key and --behind-proxy",
            );
        }
        if !self.issuers.is_empty() || self.jwks_url.is_some() {
            return problem("--dev has its own issuer: remove --issuer and --jwks-url");
        }
        self.audiences = vec![DEV_AUDIENCE.to_owned(), self.operator_audience.clone()];
        self.distinct_audiences();
        self.data_location.directory()?;
        Ok(self)
    }

    /// Returns the TLS files, if TLS is configured.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        Some(TlsFiles { certificate: self.tls_cert.clone()?, key: self.tls_key.clone()? })
    }

    /// Returns the connection limit of a single address.
    pub fn address_limit(&self) -> AddressLimit {
        // Without --trusted-proxy, a proxy looks like one client.
        let is_unnamed_proxy = self.behind_proxy && self.trusted_proxies.is_empty();
        let limit = self.max_connections_per_address.or(is_unnamed_proxy.then_some(0));
        AddressLimit { limit, trusted: self.trusted_proxies.clone() }
    }

    /// Returns the access to the metrics at the main address and at their separate address.
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

impl DataLocation {
    /// Returns the permissions that the data can have.
    pub fn permissions(&self) -> Permissions {
        if self.allow_loose_permissions { Permissions::Loose } else { Permissions::Private }
    }

    /// Returns the data directory.
    pub fn directory(&self) -> Result<PathBuf, SettingsError> {
        match self.database.as_deref() {
            None => Ok(self.data.clone()),
            Some(url) => match url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
                Some(path) => Ok(PathBuf::from(path)),
                None => Err(SettingsError(format!("--database {url}: only sqlite:DIRECTORY is supported"))),
            },
        }
    }
}
