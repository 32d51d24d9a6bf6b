//! Trying what `serve` needs, and saying what was found: line by line, without serving.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use dezky_core::Environment;

use crate::config::Settings;
use crate::http::tls::Tls;
use crate::live::Live;
use crate::serve::identity;
use crate::store::StoreError;
use crate::store::sqlite::{self, Permissions, Probe};

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried.
    pub about: &'static str,
    /// What was found; an error is why `serve` would fail.
    pub found: Result<String, String>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.found {
            Ok(found) => write!(formatter, "ok    {}: {found}", self.about),
            Err(problem) => write!(formatter, "FAIL  {}: {problem}", self.about),
        }
    }
}

/// Tries everything. Nothing is changed; where there is no database yet, none is made.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let finding = |about, found| Finding { about, found };
    let mut findings = Vec::new();
    match settings.place.directory() {
        Ok(directory) => {
            let permissions = settings.place.permissions();
            findings.push(finding("data directory", writable(&directory)));
            findings.push(finding("permissions", private(&directory, permissions)));
            findings.push(finding("lock", free(&directory)));
            findings.push(finding("database", readable(&directory, &settings.environment)));
        }
        Err(error) => findings.push(finding("data directory", Err(error.to_string()))),
    }
    findings.push(finding("address", bindable(settings.listen)));
    if let Some(address) = settings.metrics_listen {
        findings.push(finding("address of the metrics", bindable(address)));
    }
    if let Some(files) = settings.tls_files() {
        let loaded = Tls::load(files).map(|_| "certificate and key fit".to_owned());
        findings.push(finding("TLS", loaded.map_err(|error| error.to_string())));
    }
    match identity(settings, "http://127.0.0.1") {
        Err(error) => findings.push(finding("identity provider", Err(error.to_string()))),
        // The built-in provider is the server itself.
        Ok(_) if settings.dev => {
            findings.push(finding("identity provider", Ok("the built-in one".to_owned())));
        }
        Ok(identity) => {
            for (issuer, found) in identity.probe().await {
                let found = match found {
                    Ok(()) => Ok(format!("{issuer}: its keys can be fetched")),
                    Err(reason) => Err(format!("{issuer}: {reason}; serve would start, and accept nobody")),
                };
                findings.push(finding("identity provider", found));
            }
        }
    }
    findings
}

/// Whether files can be made in the directory, or the directory itself where it is not there yet.
fn writable(directory: &Path) -> Result<String, String> {
    let described = |error: std::io::Error| format!("{}: {error}", directory.display());
    if !directory.exists() {
        let parent = existing_parent(directory);
        return match parent.is_dir() {
            true => probe_file(&parent).map(|()| format!("{} will be made", directory.display())),
            false => Err(format!("{}: {} is no directory", directory.display(), parent.display())),
        };
    }
    if !directory.metadata().map_err(described)?.is_dir() {
        return Err(format!("{}: it is no directory", directory.display()));
    }
    probe_file(directory).map(|()| format!("{} is writable", directory.display()))
}

fn existing_parent(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|parent| parent.exists()).map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// Makes a file and removes it.
fn probe_file(directory: &Path) -> Result<(), String> {
    let file = directory.join(format!(".dezky-check-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&file);
    made.and_then(|_| std::fs::remove_file(&file))
        .map_err(|error| format!("{}: no file can be made in it: {error}", directory.display()))
}

fn private(directory: &Path, permissions: Permissions) -> Result<String, String> {
    sqlite::check_permissions(directory, permissions).map_err(|error| error.to_string())?;
    Ok(match permissions {
        Permissions::Private => "only this account can use the data".to_owned(),
        Permissions::Loose => "other accounts may be able to use the data, as you say".to_owned(),
    })
}

fn free(directory: &Path) -> Result<String, String> {
    match sqlite::is_locked(directory) {
        Ok(false) => Ok("no server is using the data".to_owned()),
        Ok(true) => Err("another server is using the data".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the database can be opened, and what is in it can be served.
fn readable(directory: &Path, environment: &Environment) -> Result<String, String> {
    let found = || -> Result<String, StoreError> {
        let Some(Probe { version, newest, initial }) = sqlite::probe(directory)? else {
            return Ok("there is none yet: a new one will be made".to_owned());
        };
        let Some(initial) = initial else {
            return Ok(format!("version {version}, which serve brings up to {newest}"));
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
