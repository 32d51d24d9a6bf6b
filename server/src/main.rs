//! The entry point of the `dezky-server` command.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser;
use dezky_core::Timestamp;
use dezky_server::app::now;
use dezky_server::check;
use dezky_server::config::{Command, CommandLine, DataLocation, LogFormat, Settings};
use dezky_server::seeds;
use dezky_server::serve;
use dezky_server::store::sqlite::{self, RestoredAccess, RestoredKeys};
use dezky_server::store::{LogHead, StoredKey};

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dezky-server: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(settings) => {
            let settings = settings.completed()?;
            start_log(&settings);
            runtime()?.block_on(serve::serve(settings))?;
        }
        Command::CheckConfig(settings) => {
            let findings = runtime()?.block_on(check::check(&settings.completed()?));
            findings.iter().for_each(|finding| println!("{finding}"));
            if findings.iter().any(|finding| finding.found.is_err()) {
                return Err("`serve` would fail with these settings".into());
            }
            println!("the settings are valid");
        }
        Command::Backup { data_location, file } => {
            let head = sqlite::backup(&data_location.directory()?, &file)?;
            println!("copied to {} and verified; the head is {head}", file.display());
        }
        Command::VerifyBackup { file, expected } => {
            println!("{}", verified(&sqlite::verify_file(&file, expected.expect)?));
        }
        Command::NewHistory { data_location, keep_keys, revoke_keys } => {
            new_history(&data_location, keep_keys, revoke_keys)?
        }
        Command::VerifyLog { data_location, expected } => {
            let file = sqlite::database(&data_location.directory()?);
            println!("{}", verified(&sqlite::verify_file(&file, expected.expect)?));
        }
        Command::Version => {
            println!("dezky-server {}\nSQLite {}", env!("CARGO_PKG_VERSION"), sqlite::version())
        }
    }
    Ok(())
}

fn verified(head: &LogHead) -> String {
    format!(
        "verified {} changes: every hash, every link, and every record; the head is {head}",
        head.revision
    )
}

/// Starts a new history after the operator decided on the machine keys.
fn new_history(data_location: &DataLocation, keep_keys: bool, revoke_keys: bool) -> Result<(), Failure> {
    let keys = match (keep_keys, revoke_keys) {
        (true, _) => Some(RestoredKeys::Keep),
        (_, true) => Some(RestoredKeys::Revoke),
        _ => None,
    };
    let at = now().map_err(|problem| problem.detail().to_owned())?;
    let by = (at, seeds::system());
    let restored = sqlite::begin_history(&data_location.directory()?, data_location.permissions(), keys, by)?;
    print!("{}", listed(&restored));
    match keys {
        None => Err("nothing was changed: repeat with --keep-keys or --revoke-keys".into()),
        Some(RestoredKeys::Keep) => {
            println!("a new history started; the machine keys stay valid");
            Ok(())
        }
        Some(RestoredKeys::Revoke) => {
            println!("a new history started; the machine keys are revoked");
            Ok(())
        }
    }
}

/// Lists the keys and admins that this copy of the data brings back.
fn listed(restored: &RestoredAccess) -> String {
    let mut text = format!("machine keys in this copy of the data: {}\n", restored.keys.len());
    let time = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
    for StoredKey { key, last_used_at, last_used_from } in &restored.keys {
        let (kind, created, used) = (key.kind.as_str(), key.revisioned.created_at, time(*last_used_at));
        let from = last_used_from.map_or(String::new(), |address| format!(" from {address}"));
        let (id, name, hint) = (&key.id, &key.name, &key.hint);
        text += &format!("  {id} {kind} …{hint} created {created}, last used {used}{from}: {name}\n");
    }
    text += &format!("active platform admins in this copy of the data: {}\n", restored.admins.len());
    for user in &restored.admins {
        let signed_in = time(user.last_login_at);
        text += &format!("  {} {} last signed in {signed_in}: {}\n", user.id, user.email, user.name);
    }
    text + "Rights and memberships that were revoked since the copy was made are back as well.\n"
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn start_log(settings: &Settings) {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false);
    match settings.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(true).with_span_list(false).init()
        }
    }
}
