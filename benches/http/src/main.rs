//! Measures the real server over HTTP, beside a bare handler, and prints one Markdown table.

mod bare;
mod client;
mod data;
mod delivery;
#[path = "../../src/digits.rs"]
mod digits;
mod edge;
mod issuer;
mod live;
mod load;
mod machine;
mod pair;
mod process;
#[path = "../../src/random.rs"]
mod random;
mod readers;
mod report;
mod rows;
#[expect(dead_code, reason = "the other benchmarks use more of it")]
#[path = "../../src/workload.rs"]
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use client::{Client, request};
use issuer::Issuer;
use report::Row;
use workload::Workload;

/// Whatever ends a run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
cargo run --release --locked [-- OPTIONS]
  --quick         few short rounds, to see that everything runs; the figures mean little
  --strict        exit with 2 when a bar is missed
  --server FILE   a server that is built already, of this same tree: the data is made by its library
  --edge FILE     Unleash Edge; otherwise the one that edge.sh has put into target/edge, if any
  --only WORD     one of evaluate, ofrep, snapshot, list, writes, news, streams, start, idle";

const EXIT_MISSED: u8 = 2;
const EXIT_USAGE: u8 = 64;

const TENANTS: usize = 100_000;
const TOKENS: usize = 32;

/// How long is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Rounds.
    pub rounds: usize,
    /// The length of one.
    pub round: Duration,
    /// Writes that alternate with the disk.
    pub pairs: usize,
    /// Changes that are followed.
    pub flips: usize,
    /// How long streams are left alone, before their memory is looked at: longer than it takes until all have had a heartbeat.
    pub idle: Duration,
}

const FULL: Effort = Effort {
    rounds: 9,
    round: Duration::from_secs(1),
    pairs: 1_000,
    flips: 50,
    idle: Duration::from_secs(20),
};
const QUICK: Effort = Effort {
    rounds: 3,
    round: Duration::from_millis(200),
    pairs: 100,
    flips: 10,
    idle: Duration::from_secs(2),
};

struct Options {
    effort: Effort,
    is_strict: bool,
    server: Option<PathBuf>,
    edge: Option<PathBuf>,
    only: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, status, bytes] = arguments.as_slice()
        && command == bare::COMMAND
    {
        return ended(serve_bare(status, bytes));
    }
    let Some(options) = options(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(EXIT_USAGE);
    };
    // The generator has one thread, as `wrk -t1`: more would take turns from the server that it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::from);
    match runtime.and_then(|runtime| runtime.block_on(run(&options))) {
        Ok(rows) if options.is_strict && rows.iter().any(Row::is_missed) => ExitCode::from(EXIT_MISSED),
        outcome => ended(outcome.map(drop)),
    }
}

fn ended(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("Nothing is measured: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn serve_bare(status: &str, bytes: &str) -> Result<(), Failure> {
    let (status, bytes) = (status.parse()?, bytes.parse()?);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bare::serve(status, bytes))
}

fn options(arguments: Vec<String>) -> Option<Options> {
    let mut options = Options { effort: FULL, is_strict: false, server: None, edge: None, only: None };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.effort = QUICK,
            "--strict" => options.is_strict = true,
            "--server" => options.server = Some(arguments.next()?.into()),
            "--edge" => options.edge = Some(arguments.next()?.into()),
            "--only" => options.only = Some(arguments.next()?),
            _ => return None,
        }
    }
    Some(options)
}

async fn run(options: &Options) -> Result<Vec<Row>, Failure> {
    let load_before = machine::load();
    let binary = match &options.server {
        Some(binary) => binary.clone(),
        None => built()?,
    };
    let directory = Directory::new()?;
    let rows = measured(options, &binary, &directory.0).await?;
    println!("{}\n\n{}", report::table(&rows), machine::description());
    println!("Load average before: {load_before}.");
    Ok(rows)
}

async fn measured(options: &Options, binary: &Path, directory: &Path) -> Result<Vec<Row>, Failure> {
    let effort = options.effort;
    let wanted = |word: &str| options.only.as_deref().is_none_or(|only| only == word);
    let issuer = Issuer::start().await?;
    let tokens = (0..TOKENS).map(|number| issuer.operator_token(number)).collect::<Result<Vec<_>, _>>()?;
    let token = tokens.first().ok_or("no token")?;
    let mut rows = Vec::new();
    if ["evaluate", "ofrep", "snapshot", "list", "writes", "news", "streams"].into_iter().any(wanted) {
        let data = directory.join("large");
        let workload = prepared(&data, 100).await?;
        machine::open_files();
        let serve = async || -> Result<process::Server, Failure> {
            let server = process::serve(binary, &data, &issuer.url).await?.server;
            let question = request("GET", "/users/me", token, "", "");
            Client::connect(server.address).await?.expect(200, &question).await?;
            Ok(server)
        };
        let server = serve().await?;
        if wanted("evaluate") {
            eprintln!("evaluate ...");
            rows.extend(rows::evaluate::rows(&server, &tokens, &workload, effort).await?);
        }
        if wanted("ofrep") {
            eprintln!("ofrep ...");
            let edge = (options.edge.as_deref(), directory);
            rows.extend(rows::ofrep::rows(&server, token, &workload, edge, effort).await?);
        }
        if wanted("snapshot") {
            eprintln!("snapshot ...");
            rows.extend(rows::snapshot::rows(&server, token, effort).await?);
        }
        if wanted("news") {
            eprintln!("news ...");
            rows.extend(rows::news::rows(&server, token, &workload, effort).await?);
        }
        if wanted("list") {
            eprintln!("list ...");
            rows.extend(rows::list::rows(&server, token, effort).await?);
        }
        if wanted("writes") {
            eprintln!("writes ...");
            rows.extend(rows::writes::rows(&server, &tokens, &data, &workload, effort).await?);
        }
        server.stop()?;
        if wanted("streams") {
            eprintln!("streams ...");
            let server = serve().await?;
            rows.push(rows::streams::row(&server, token, &workload, effort).await?);
            server.stop()?;
        }
    }
    if wanted("start") {
        let data = directory.join("full");
        prepared(&data, 1_000).await?;
        eprintln!("start ...");
        rows.push(rows::start::row(binary, &data, &issuer.url, token, effort).await?);
    }
    if wanted("idle") {
        eprintln!("idle ...");
        rows.push(rows::idle::row(binary, &directory.join("small"), &issuer.url, token).await?);
    }
    Ok(rows)
}

/// Tenants and flags in a directory; the server brings the last few flags itself.
async fn prepared(data: &Path, flags: usize) -> Result<Workload, Failure> {
    let start = Instant::now();
    let workload = Workload::new(flags - data::SEEDED_FLAGS, TENANTS);
    data::prepare(data, &workload).await?;
    eprintln!("{TENANTS} tenants and {flags} flags are there after {:.1} s", start.elapsed().as_secs_f64());
    Ok(workload)
}

/// The server of this tree, built as it is released.
fn built() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "-p", "dezky-server"])
        .current_dir(&root)
        .status()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    match status.success() {
        true => Ok(target.join("release/dezky-server")),
        false => Err("the server does not build".into()),
    }
}

/// A directory of the run's own beside this program: on a disk, where a temporary one may be in memory. Gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Directory, Failure> {
        let program = std::env::current_exe()?;
        let parent = program.parent().ok_or("this program is nowhere")?;
        let path = parent.join(format!("http-bench-data-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}
