//! The command line.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser;
use dezky_server::config::{Command, CommandLine, LogFormat, Settings};
use dezky_server::serve;
use dezky_server::store::sqlite;

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
            runtime()?.block_on(serve::check(settings.completed()?))?;
            println!("the settings are good");
        }
        Command::Backup { place, file } => {
            sqlite::backup(&place.directory()?, &file)?;
            println!("copied to {}", file.display());
        }
        Command::NewHistory(place) => {
            sqlite::begin_history(&place.directory()?)?;
            println!("a new history has begun");
        }
        Command::VerifyLog(place) => {
            let (changes, head) = sqlite::verify_log(&place.directory()?)?;
            println!("{changes} changes, every hash and link verified; the last one's hash is {head}");
        }
        Command::Version => {
            println!("dezky-server {}\nSQLite {}", env!("CARGO_PKG_VERSION"), sqlite::version())
        }
    }
    Ok(())
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
