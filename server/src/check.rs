//! `check-config`: checks what `serve` needs and reports one finding per line.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use dezky_core::names::Environment;

use crate::config::Settings;
use crate::http::tls::Tls;
use crate::live::Live;
use crate::serve::identity;
use crate::store::StoreError;
use crate::store::sqlite::{self, Permissions, Probe};

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The part that was checked.
    pub subject: &'static str,
    /// The result; an error means that `serve` would fail.
    pub found: Result<String, String>,
}

impl std::fmt::Display for CheckResult {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.found {
            Ok(found) => write!(formatter, "ok    {}: {found}", self.subject),
            Err(problem) => write!(formatter, "FAIL  {}: {problem}", self.subject),
        }
    }
}

/// Runs all checks. It changes no data and creates no database.
pub async fn check(settings: &Settings) -> Vec<CheckResult> {
    let finding = |subject, found| CheckResult { subject, found };
    let mut findings = Vec::new();
    match settings.data_location.directory() {
        Ok(directory) => {
            let permissions = settings.data_location.permissions();
            findings.push(finding("data directory", writable(&directory)));
            findings.push(finding("permissions", private(&directory, permissions)));
            findings.push(finding("lock", free(&directory)));
            findings.push(finding("database", readable(&directory, &settings.environment)));
        }
        Err(error) => findings.push(finding("data directory", Err(error.to_string()))),
    }
    findings.push(finding("address", bindable(settings.listen)));
    if let Some(address) = settings.metrics_listen {
        findings.push(finding("metrics address", bindable(address)));
    }
    if let Some(files) = settings.tls_files() {
        let loaded = Tls::load(files).map(|_| "certificate and key fit together".to_owned());
        findings.push(finding("TLS", loaded.map_err(|error| error.to_string())));
    }
    match identity(settings, "http://127.0.0.1") {
        Err(error) => findings.push(finding("identity provider", Err(error.to_string()))),
        // The built-in provider is part of the server.
        Ok(_) if settings.dev => {
            findings.push(finding("identity provider", Ok("the built-in provider".to_owned())));
        }
        Ok(identity) => {
            for (issuer, found) in identity.probe().await {
                let found = match found {
                    Ok(()) => Ok(format!("{issuer}: its keys can be fetched")),
                    Err(reason) => {
                        Err(format!("{issuer}: {reason}; serve would start but reject every token"))
                    }
                };
                findings.push(finding("identity provider", found));
            }
        }
    }
    findings
}

/// Checks that files can be created in the directory, or the directory itself if it does not
/// exist.
fn writable(directory: &Path) -> Result<String, String> {
    let described = |error: std::io::Error| format!("{}: {error}", directory.display());
    if !directory.exists() {
        let parent = existing_parent(directory);
        return match parent.is_dir() {
            true => probe_file(&parent).map(|()| format!("{} will be created", directory.display())),
            false => Err(format!("{}: {} is not a directory", directory.display(), parent.display())),
        };
    }
    if !directory.metadata().map_err(described)?.is_dir() {
        return Err(format!("{}: it is not a directory", directory.display()));
    }
    probe_file(directory).map(|()| format!("{} is writable", directory.display()))
}

fn existing_parent(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|parent| parent.exists()).map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// Creates a file and removes it.
fn probe_file(directory: &Path) -> Result<(), String> {
    let file = directory.join(format!(".dezky-check-{}", std::process::id()));
    let created = OpenOptions::new().write(true).create_new(true).open(&file);
    created
        .and_then(|_| std::fs::remove_file(&file))
        .map_err(|error| format!("{}: files cannot be created in it: {error}", directory.display()))
}

fn private(directory: &Path, permissions: Permissions) -> Result<String, String> {
    sqlite::check_permissions(directory, permissions).map_err(|error| error.to_string())?;
    Ok(match permissions {
        Permissions::Private => "only this account can access the data".to_owned(),
        Permissions::Loose => "other accounts may be able to access the data, as configured".to_owned(),
    })
}

fn free(directory: &Path) -> Result<String, String> {
    match sqlite::is_locked(directory) {
        Ok(false) => Ok("no server is using the data".to_owned()),
        Ok(true) => Err("another server is using the data".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks that the database can be opened and its records can be loaded.
fn readable(directory: &Path, environment: &Environment) -> Result<String, String> {
    let found = || -> Result<String, StoreError> {
        let Some(Probe { version, newest, initial }) = sqlite::probe(directory)? else {
            return Ok("it does not exist yet and will be created".to_owned());
        };
        let Some(initial) = initial else {
            return Ok(format!("version {version}, which serve will migrate to {newest}"));
        };
        let revision = initial.revision;
        let unreadable = |error: dezky_core::Error| StoreError::Broken(error.to_string());
        let live = Live::new(environment.clone()).map_err(unreadable)?;
        live.load(initial).map_err(unreadable)?;
        Ok(format!("version {version}, revision {revision}"))
    };
    found().map_err(|error| error.to_string())
}

fn bindable(address: SocketAddr) -> Result<String, String> {
    let listener =
        TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    drop(listener);
    Ok(format!("{address} is free"))
}
