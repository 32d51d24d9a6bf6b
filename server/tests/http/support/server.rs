//! A server process for one test or one file of tests; it stops with them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::plain_client;

/// The settings of a server without rate limits.
pub const NO_LIMITS: [&str; 4] = ["--rate-limit", "0", "--failure-limit", "0"];

/// A running server process and its data directory.
pub struct Server {
    pub url: String,
    data: PathBuf,
    log: PathBuf,
    process: Mutex<Child>,
    tokens: tokio::sync::Mutex<HashMap<String, String>>,
}

/// Runs the server until standard input closes. It is a pipe from the tests, so the server stops
/// when they end, even if they crash.
const RUN: &str =
    r#""$@" & server=$!; trap 'kill $server' TERM; cat >/dev/null; kill $server 2>/dev/null; wait $server"#;

const START_TIMEOUT: Duration = Duration::from_secs(30);

impl Server {
    /// Starts a server with sample data and without rate limits.
    pub fn start() -> Server {
        Server::start_with(&NO_LIMITS)
    }

    /// Starts a server with sample data and these settings.
    pub fn start_with(settings: &[&str]) -> Server {
        let name = uuid::Uuid::now_v7().simple().to_string();
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        Server::start_at(&data, "127.0.0.1:0", settings)
    }

    /// Starts a server without sample data for the users of a test's own identity provider, after
    /// `prepare` has written its data.
    pub fn start_for(issuer: &super::Issuer, prepare: impl FnOnce(&Path)) -> Server {
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::now_v7().simple().to_string());
        prepare(&data);
        let mode = ["--issuer", &issuer.name, "--audience", "dezky-portal"];
        Server::launch(&data, "127.0.0.1:0", &mode, &NO_LIMITS)
    }

    /// Restarts the server with its data and its address, which is part of its issuer's name.
    pub fn restart(self, settings: &[&str]) -> Server {
        self.restart_after(settings, |_| {})
    }

    /// Like `restart`; `between` works on the data while the server is stopped.
    pub fn restart_after(self, settings: &[&str], between: impl FnOnce(&Path)) -> Server {
        let address = self.url.trim_start_matches("http://").to_owned();
        let data = self.data.clone();
        drop(self);
        between(&data);
        Server::start_at(&data, &address, settings)
    }

    fn start_at(data: &Path, listen: &str, settings: &[&str]) -> Server {
        Server::launch(data, listen, &["--dev"], settings)
    }

    fn launch(data: &Path, listen: &str, mode: &[&str], settings: &[&str]) -> Server {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data).unwrap();
        let log = data.join(format!("log-{}", uuid::Uuid::now_v7().simple()));
        let process = Command::new("sh")
            .args(["-c", RUN, "sh", env!("CARGO_BIN_EXE_dezky-server"), "serve"])
            .args(mode)
            .args(["--listen", listen, "--data"])
            .arg(data)
            .args(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + START_TIMEOUT;
        let address = loop {
            let text = fs::read_to_string(&log).unwrap();
            if let Some(address) = address_in(&text) {
                break address;
            }
            assert!(Instant::now() < deadline, "the server did not start: {text}");
            sleep(Duration::from_millis(10));
        };
        while !is_ready(&address) {
            assert!(Instant::now() < deadline, "the server did not become ready");
            sleep(Duration::from_millis(10));
        }
        Server {
            url: format!("http://{address}"),
            data: data.to_owned(),
            log,
            process: Mutex::new(process),
            tokens: tokio::sync::Mutex::default(),
        }
    }

    /// The path of the data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The resident memory of the process in kilobytes.
    pub fn resident_kilobytes(&self) -> u64 {
        let shell = self.process.lock().unwrap().id();
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let status = fs::read_to_string(entry.ok()?.path().join("status")).ok()?;
            let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let is_server = line("PPid:") == Some(&*shell.to_string()) && line("Name:")?.starts_with("dezky");
            line("VmRSS:")?.trim_end_matches(" kB").parse().ok().filter(|_| is_server)
        });
        processes.into_iter().next().unwrap()
    }

    /// Asks the server to stop, without waiting for its end.
    pub fn stop(&self) {
        drop(self.process.lock().unwrap().stdin.take());
    }

    /// Creates a machine key as the operator; returns its id and its secret.
    pub async fn create_key(&self, body: Value) -> (String, String) {
        let operator = super::Api::sign_in(self, "operator").await;
        let made = operator.post("/keys").json(body).send().await.is(201).body;
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// Creates a server key and returns its secret.
    pub async fn server_key(&self) -> String {
        self.create_key(json!({ "name": "A server's", "kind": "server" })).await.1
    }

    /// Creates a tenant key and returns its secret.
    pub async fn tenant_key(&self, slug: &str) -> String {
        self.create_key(json!({ "name": "A tenant's", "kind": "tenant", "tenantSlug": slug })).await.1
    }

    /// The log lines written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The access token of a sample persona, issued once per server.
    pub async fn token(&self, persona: &str) -> String {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(persona) {
            return token.clone();
        }
        let answer = plain_client()
            .post(format!("{}/dev/token", self.url))
            .header("content-type", "application/json")
            .body(json!({ "persona": persona }).to_string())
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        tokens.insert(persona.to_owned(), token.clone());
        token
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap();
        drop(process.stdin.take());
        let _ = process.wait();
    }
}

/// Returns whether the server has fetched the keys of its issuer.
fn is_ready(address: &str) -> bool {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// The address in the log line about serving, which may contain colour codes.
fn address_in(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("serving") && line.contains("address"))?;
    let (_, rest) = line.split_once("127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("127.0.0.1:{port}"))
}
