//! Measures the real server over HTTP beside a bare handler and prints a Markdown report.

mod bare;
mod client;
mod data;
mod delivery;
#[path = "../../src/digits.rs"]
mod digits;
mod edge;
mod issuer;
#[path = "../../src/layout.rs"]
mod layout;
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

/// An error that ends the run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
cargo run --release --locked [-- OPTIONS]
  --quick         run a few short rounds as a check; the figures are not reliable
  --strict        exit with 2 if a bar is missed
  --server FILE   the binary of the server, built from this tree
  --edge FILE     the binary of Unleash Edge; the default is the one that edge.sh installed
  --only WORD     measure one of evaluate, ofrep, snapshot, list, writes, news, streams, start, idle";

const EXIT_MISSED: u8 = 2;
const EXIT_USAGE: u8 = 64;

const TENANTS: usize = 100_000;
const TOKENS: usize = 32;

/// The numbers and lengths of measurements.
#[derive(Clone, Copy)]
pub struct Effort {
    /// The number of rounds.
    pub rounds: usize,
    /// The length of one round.
    pub round: Duration,
    /// The number of writes that alternate with writes to the disk alone.
    pub pairs: usize,
    /// The number of flips of a flag.
    pub flips: usize,
    /// The idle time before the memory of streams is read, longer than the heartbeat interval.
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
        return exit_code(serve_bare(status, bytes));
    }
    let Some(options) = options(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(EXIT_USAGE);
    };
    // One thread, like `wrk -t1`: more threads would take CPU time from the measured server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::from);
    match runtime.and_then(|runtime| runtime.block_on(run(&options))) {
        Ok(rows) if options.is_strict && rows.iter().any(Row::is_missed) => ExitCode::from(EXIT_MISSED),
        outcome => exit_code(outcome.map(drop)),
    }
}

fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("The run failed: {failure}");
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
        None => build_server()?,
    };
    let directory = Directory::new()?;
    let rows = measure_rows(options, &binary, &directory.0).await?;
    println!("{}\n\n{}", report::list(&rows), machine::description());
    println!("Load average before: {load_before}.");
    Ok(rows)
}

/// Everything that the rows share.
struct Run<'r> {
    options: &'r Options,
    binary: &'r Path,
    directory: &'r Path,
    issuer: Issuer,
    tokens: Vec<String>,
}

impl Run<'_> {
    /// Returns whether a group of rows is selected, and prints its name if it is.
    fn starts(&self, group: &str) -> bool {
        let is_selected = self.is_selected(group);
        if is_selected {
            eprintln!("{group} ...");
        }
        is_selected
    }

    fn is_selected(&self, group: &str) -> bool {
        self.options.only.as_deref().is_none_or(|only| only == group)
    }

    fn token(&self) -> Result<&str, Failure> {
        Ok(self.tokens.first().ok_or("no token")?)
    }

    /// Starts the server on prepared data, and signs the operator in.
    async fn serve(&self, data: &Path) -> Result<process::Server, Failure> {
        let server = process::serve(self.binary, data, &self.issuer.url).await?.server;
        let question = request("GET", "/users/me", self.token()?, "", "");
        Client::connect(server.address).await?.expect(200, &question).await?;
        Ok(server)
    }

    /// Measures the rows that need many tenants and a running server.
    async fn large_rows(&self, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let (effort, token) = (self.options.effort, self.token()?);
        let data = self.directory.join("large");
        let workload = prepare_data(&data, 100).await?;
        machine::raise_open_files();
        let server = self.serve(&data).await?;
        if self.starts("evaluate") {
            rows.extend(rows::evaluate::rows(&server, &self.tokens, &workload, effort).await?);
        }
        if self.starts("ofrep") {
            let edge = (self.options.edge.as_deref(), self.directory);
            rows.extend(rows::ofrep::rows(&server, token, &workload, edge, effort).await?);
        }
        if self.starts("snapshot") {
            rows.extend(rows::snapshot::rows(&server, token, effort).await?);
        }
        if self.starts("news") {
            rows.extend(rows::news::rows(&server, token, &workload, effort).await?);
        }
        if self.starts("list") {
            rows.extend(rows::list::rows(&server, token, effort).await?);
        }
        if self.starts("writes") {
            rows.extend(rows::writes::rows(&server, &self.tokens, &data, &workload, effort).await?);
        }
        server.stop()?;
        if self.starts("streams") {
            let server = self.serve(&data).await?;
            rows.push(rows::streams::row(&server, token, &workload, effort).await?);
            server.stop()?;
        }
        Ok(())
    }
}

async fn measure_rows(options: &Options, binary: &Path, directory: &Path) -> Result<Vec<Row>, Failure> {
    let issuer = Issuer::start().await?;
    let tokens = (0..TOKENS).map(|number| issuer.operator_token(number)).collect::<Result<Vec<_>, _>>()?;
    let run = Run { options, binary, directory, issuer, tokens };
    let mut rows = Vec::new();
    let large = ["evaluate", "ofrep", "snapshot", "list", "writes", "news", "streams"];
    if large.into_iter().any(|group| run.is_selected(group)) {
        run.large_rows(&mut rows).await?;
    }
    if run.is_selected("start") {
        let data = directory.join("full");
        prepare_data(&data, 1_000).await?;
        eprintln!("start ...");
        let url = &run.issuer.url;
        rows.push(rows::start::row(binary, &data, url, run.token()?, options.effort).await?);
    }
    if run.starts("idle") {
        let data = directory.join("small");
        rows.push(rows::idle::row(binary, &data, &run.issuer.url, run.token()?).await?);
    }
    Ok(rows)
}

/// Writes tenants and flags to a directory. The server adds the last few flags itself.
async fn prepare_data(data: &Path, flags: usize) -> Result<Workload, Failure> {
    let start = Instant::now();
    let workload = Workload::new(flags - data::SEEDED_FLAGS, TENANTS);
    data::prepare(data, &workload).await?;
    eprintln!("wrote {TENANTS} tenants and {flags} flags in {:.1} s", start.elapsed().as_secs_f64());
    Ok(workload)
}

/// Builds the release binary of the server in this tree and returns its path.
fn build_server() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "-p", "dezky-server"])
        .current_dir(&root)
        .status()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    match status.success() {
        true => Ok(target.join("release/dezky-server")),
        false => Err("the build of the server failed".into()),
    }
}

/// The data directory of a run, removed at the end.
///
/// The directory is beside this program, because a system directory for temporary files may be in
/// memory.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Directory, Failure> {
        let program = std::env::current_exe()?;
        let parent = program.parent().ok_or("this program has no directory")?;
        let path = parent.join(format!("http-bench-data-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}
