//! The measured processes: start, CPU time, memory, and stop.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, request};
use crate::{Failure, bare};

/// The longest wait for a start.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running server process, killed on drop.
pub struct Server {
    child: Child,
    /// The address on which the server listens.
    pub address: SocketAddr,
}

/// A started server and the time of its start.
pub struct Started {
    /// The server, which is ready.
    pub server: Server,
    /// The time from before the spawn until `/readyz` answered 200.
    pub ready_after: Duration,
}

/// Starts the real server on a data directory, with its log in a file.
pub async fn serve(binary: &Path, data: &Path, issuer: &str) -> Result<Started, Failure> {
    let address = free_address()?;
    let log = log_file(data);
    let mut command = Command::new(binary);
    command.arg("serve").args(["--listen", &address.to_string(), "--issuer", issuer, "--rate-limit", "0"]);
    command.arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
    ready(command, address, "/readyz", &log).await
}

/// Starts a process and waits until a path answers 200.
pub async fn ready(
    mut command: Command,
    address: SocketAddr,
    path: &str,
    log: &Path,
) -> Result<Started, Failure> {
    let start = Instant::now();
    let mut server = Server { child: command.spawn()?, address };
    let ready = request("GET", path, "", "", "");
    loop {
        if let Ok(mut client) = Client::connect(address).await
            && client.ask(&ready).await.is_ok_and(|answer| answer.status == 200)
        {
            return Ok(Started { ready_after: start.elapsed(), server });
        }
        if server.child.try_wait()?.is_some() || start.elapsed() > TIMEOUT {
            return Err(format!("the server does not start: {}", fs::read_to_string(log)?).into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Returns a free loopback address.
pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?.local_addr()?)
}

/// Returns the path of the log file, beside the data directory.
pub fn log_file(data: &Path) -> PathBuf {
    data.with_extension("log")
}

/// Starts the bare handler with a status and a body of the given size.
pub fn bare(status: u16, bytes: usize) -> Result<Server, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([bare::COMMAND, &status.to_string(), &bytes.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or("the bare handler has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(Server { address: line.trim().parse()?, child })
}

impl Server {
    /// Returns the user and system CPU time of all threads.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The process name may contain spaces, so the fields begin after its parenthesis.
        let (_, rest) = stat.rsplit_once(')').ok_or("/proc/PID/stat has an unexpected format")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |index: usize| -> Result<f64, Failure> {
            Ok(fields.get(index).ok_or("too few fields")?.parse()?)
        };
        Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) / ticks_per_second()?))
    }

    /// Returns the current and the peak resident memory, in megabytes of 10^6 bytes.
    pub fn resident(&self) -> Result<(f64, f64), Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let megabytes = |name: &str| -> Result<f64, Failure> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
            let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kibibytes * 1_024.0 / 1e6)
        };
        Ok((megabytes("VmRSS:")?, megabytes("VmHWM:")?))
    }

    /// Sends SIGTERM and waits for the end of the process.
    pub fn stop(mut self) -> Result<(), Failure> {
        let id = libc::pid_t::try_from(self.child.id())?;
        // Sound: the child has not been waited for, so the id still belongs to it.
        unsafe { libc::kill(id, libc::SIGTERM) };
        match self.child.wait()?.success() {
            true => Ok(()),
            false => Err("the server did not stop cleanly".into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ticks_per_second() -> Result<f64, Failure> {
    // Sound: it reads a constant of the system.
    match unsafe { libc::sysconf(libc::_SC_CLK_TCK) } {
        ticks if ticks > 0 => Ok(ticks as f64),
        _ => Err("the length of a tick is not known".into()),
    }
}
