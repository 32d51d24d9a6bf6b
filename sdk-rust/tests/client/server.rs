//! A test server that publishes snapshots like the real one, and fails on request.
#![allow(dead_code)]

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use dezky::flags::Snapshot;

pub const HISTORY: &str = "history-1";

/// The failure of one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// A response with this status and these header lines.
    Status(u16, &'static str),
    /// The usual response, after a delay.
    Slow(Duration),
    /// The connection is reset without a response.
    Reset,
    /// Half of the body is sent, then the connection is closed.
    Truncated,
    /// Like `Truncated`, but without a `Content-Length`.
    TruncatedUnnoticed,
    /// The body is another snapshot than the tag says.
    Corrupted,
    /// The body is not JSON at all.
    NotJson,
    /// The body is JSON, but not a snapshot.
    NotASnapshot,
    /// The response has no `ETag`.
    Untagged,
    /// The body is larger than any snapshot.
    Endless,
    /// The response is not HTTP.
    Garbage,
    /// An earlier snapshot, with its own tag.
    Earlier(String),
    /// Like `Earlier`, after a delay.
    SlowEarlier(Duration, String),
    /// A 304 that does not fit the request.
    FalseUnchanged,
}

impl Fault {
    fn ends_connection(&self) -> bool {
        use Fault::{Endless, Garbage, Reset, Truncated, TruncatedUnnoticed};
        matches!(self, Reset | Truncated | TruncatedUnnoticed | Garbage | Endless)
    }
}

/// A request as the server received it.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub at: Instant,
    /// The status of the response; 0 if there was none.
    pub status: u16,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    pub fn is_stream(&self) -> bool {
        self.path.contains("/stream")
    }

    /// The tenant whose subject is requested.
    pub fn subject_of(&self) -> Option<&str> {
        self.path.split_once("/tenants/")?.1.strip_suffix("/subject")
    }
}

#[derive(Default)]
pub struct State {
    pub body: String,
    pub history: Option<&'static str>,
    pub faults: VecDeque<Fault>,
    pub stream_faults: VecDeque<Fault>,
    /// The failure of every request once `faults` is empty.
    pub always: Option<Fault>,
    pub stream_always: Option<Fault>,
    /// The subject document of each tenant, by slug.
    pub subjects: HashMap<String, String>,
    pub subject_faults: VecDeque<Fault>,
    pub subject_always: Option<Fault>,
    /// The population that every snapshot response reports.
    pub population: Option<u64>,
    /// `true` if streams begin without an announcement.
    pub mute_streams: bool,
    pub requests: Vec<Request>,
    pub streams: Vec<TcpStream>,
}

pub struct Server {
    pub address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
    is_stopped: Arc<AtomicBool>,
}

pub fn snapshot(revision: u64, flags: &[(&str, &str)]) -> String {
    let flags: Vec<String> =
        flags.iter().map(|(key, state)| format!(r#"{{"key":"{key}","state":"{state}"}}"#)).collect();
    let text = format!(
        r#"{{"format":1,"revision":{revision},"environment":"production","flags":[{}]}}"#,
        flags.join(",")
    );
    Snapshot::from_json(text.as_bytes()).unwrap().to_canonical_json()
}

pub fn digest(body: &str) -> String {
    Snapshot::from_json(body.as_bytes()).unwrap().digest().as_str().to_owned()
}

impl Server {
    pub fn start(body: String) -> Server {
        Server::on(TcpListener::bind("127.0.0.1:0").unwrap(), body)
    }

    pub fn on(listener: TcpListener, body: String) -> Server {
        let address = listener.local_addr().unwrap();
        let state = State { body, history: Some(HISTORY), ..State::default() };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (inner, stopped) = (shared.clone(), is_stopped.clone());
        thread::spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (inner, connection) = (inner.clone(), connection.unwrap());
                thread::spawn(move || drop(serve(&inner, connection)));
            }
        });
        Server { address, shared, is_stopped }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    /// Publishes another snapshot without an announcement.
    pub fn set(&self, body: &str) {
        self.state().body = body.to_owned();
    }

    /// Publishes another snapshot and announces it.
    pub fn publish(&self, body: &str) {
        self.set(body);
        self.announce(&digest(body));
    }

    pub fn announce(&self, digest: &str) {
        self.send(&event(digest));
    }

    pub fn send(&self, text: &str) {
        for stream in &self.state().streams {
            let mut stream: &TcpStream = stream;
            let _ = stream.write_all(text.as_bytes());
        }
    }

    pub fn end_streams(&self) {
        for stream in self.state().streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until a condition holds.
    pub fn wait(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let (lock, changed) = &*self.shared;
        let wait = changed.wait_timeout_while(lock.lock().unwrap(), Duration::from_secs(60), |s| !holds(s));
        assert!(!wait.unwrap().1.timed_out(), "timed out waiting for: {what}");
    }

    pub fn wait_for_stream(&self) {
        self.wait("a stream", |state| !state.streams.is_empty());
    }

    pub fn fetches(&self) -> Vec<Request> {
        let is_fetch = |request: &&Request| !request.is_stream() && request.subject_of().is_none();
        self.state().requests.iter().filter(is_fetch).cloned().collect()
    }

    pub fn subject_requests(&self) -> Vec<Request> {
        let requests = self.state().requests.clone();
        requests.into_iter().filter(|request| request.subject_of().is_some()).collect()
    }

    /// The last requests of clients that signed off.
    pub fn sign_offs(&self) -> Vec<Request> {
        self.fetches().into_iter().filter(|request| request.header("dezky-closing").is_some()).collect()
    }

    pub fn opened_streams(&self) -> Vec<Request> {
        self.state().requests.iter().filter(|request| request.is_stream()).cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        self.end_streams();
    }
}

pub fn event(digest: &str) -> String {
    format!("id: 1\nevent: revision\ndata: {{\"revision\":1,\"digest\":\"{digest}\"}}\n\n")
}

fn serve(shared: &(Mutex<State>, Condvar), connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut out = connection;
    loop {
        let Some(mut request) = read(&mut reader)? else { return Ok(()) };
        let is_stream = request.is_stream();
        let (fault, body, history, population, is_mute) = {
            let mut state = shared.0.lock().unwrap();
            let fault = match (request.subject_of(), is_stream) {
                (Some(_), _) => state.subject_faults.pop_front().or(state.subject_always.clone()),
                (None, true) => state.stream_faults.pop_front().or(state.stream_always.clone()),
                (None, false) => state.faults.pop_front().or(state.always.clone()),
            };
            (fault, state.body.clone(), state.history, state.population, state.mute_streams)
        };
        if let Some(Fault::Slow(time) | Fault::SlowEarlier(time, _)) = fault {
            thread::sleep(time);
        }
        let bytes = match (request.subject_of().map(str::to_owned), is_stream) {
            (Some(slug), _) => {
                subject_answer(&mut request, &fault, shared.0.lock().unwrap().subjects.get(&slug))
            }
            (None, true) => stream_answer(&mut request, &fault, &body, is_mute),
            (None, false) => snapshot_answer(&mut request, &fault, body, (history, population)),
        };
        let is_open = is_stream && request.status == 200 && !matches!(fault, Some(Fault::Status(..)));
        {
            let mut state = shared.0.lock().unwrap();
            state.requests.push(request);
            out.write_all(&bytes)?;
            // After the response, so that a stream whose client is already gone is not kept.
            if is_open {
                state.streams.push(out.try_clone()?);
            }
            shared.1.notify_all();
        }
        if fault.as_ref().is_some_and(Fault::ends_connection) {
            return out.shutdown(Shutdown::Both);
        }
        if is_open {
            // Wait until the client disconnects.
            let gone = reader.read(&mut [0]);
            let mut state = shared.0.lock().unwrap();
            let ours = out.peer_addr();
            state.streams.retain(|stream| stream.peer_addr().ok() != ours.as_ref().ok().copied());
            shared.1.notify_all();
            return gone.map(drop);
        }
    }
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => return Ok(Some(Request { path, headers, at: Instant::now(), status: 0 })),
        }
    }
}

fn stream_answer(request: &mut Request, fault: &Option<Fault>, body: &str, is_mute: bool) -> Vec<u8> {
    match fault {
        Some(Fault::Status(status, lines)) => failure(request, *status, lines),
        Some(Fault::Reset) => Vec::new(),
        Some(Fault::Garbage) => b"\x00\x01nonsense\r\n\r\n".to_vec(),
        _ => {
            request.status = 200;
            let first = if is_mute { String::new() } else { event(&digest(body)) };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            format!("{head}:\n\n{first}").into_bytes()
        }
    }
}

fn subject_answer(request: &mut Request, fault: &Option<Fault>, subject: Option<&String>) -> Vec<u8> {
    if let Some(Fault::Status(status, lines)) = fault {
        return failure(request, *status, lines);
    }
    let Some(subject) = subject else { return failure(request, 404, "") };
    let tag =
        format!("\"{:x}\"", subject.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
    request.status = if request.header("if-none-match") == Some(&tag) { 304 } else { 200 };
    let body = if request.status == 304 { "" } else { subject };
    let length =
        if request.status == 304 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {} OK\r\netag: {tag}\r\n{length}\r\n{body}", request.status).into_bytes()
}

fn failure(request: &mut Request, status: u16, lines: &str) -> Vec<u8> {
    request.status = status;
    let body = r#"{"code":"some_reason"}"#;
    format!("HTTP/1.1 {status} Because\r\n{lines}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn snapshot_answer(
    request: &mut Request,
    fault: &Option<Fault>,
    body: String,
    context: (Option<&str>, Option<u64>),
) -> Vec<u8> {
    let (history, population) = context;
    let mut history = history.map(|id| format!("dezky-history: {id}\r\n")).unwrap_or_default();
    if let Some(population) = population {
        history += &format!("dezky-population: {population}\r\n");
    }
    let body = match fault {
        Some(Fault::Earlier(earlier) | Fault::SlowEarlier(_, earlier)) => earlier.clone(),
        _ => body,
    };
    let tag = digest(&body);
    let whole = |status: u16, body: &str| {
        let head = format!("HTTP/1.1 {status} OK\r\netag: \"{tag}\"\r\n{history}");
        match status {
            304 => format!("{head}\r\n").into_bytes(),
            _ => format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes(),
        }
    };
    let is_known = request.header("if-none-match") == Some(&format!("\"{tag}\""));
    request.status = match fault {
        Some(Fault::Reset) => 0,
        Some(Fault::FalseUnchanged) => 304,
        None | Some(Fault::Slow(_) | Fault::Earlier(_) | Fault::SlowEarlier(..)) if is_known => 304,
        _ => 200,
    };
    match fault {
        Some(Fault::Status(status, lines)) => failure(request, *status, lines),
        Some(Fault::Reset) => Vec::new(),
        Some(Fault::Garbage) => b"\x00\x01nonsense\r\n\r\n".to_vec(),
        Some(Fault::Truncated) => {
            let mut bytes = whole(200, &body);
            bytes.truncate(bytes.len() - body.len() / 2);
            bytes
        }
        Some(Fault::TruncatedUnnoticed) => {
            let head = format!("HTTP/1.1 200 OK\r\netag: \"{tag}\"\r\nconnection: close\r\n\r\n");
            [head.as_bytes(), &body.as_bytes()[..body.len() / 2]].concat()
        }
        Some(Fault::Corrupted) => whole(200, &body.replacen("revision\":", "revision\":1", 1)),
        Some(Fault::NotJson) => whole(200, "<html>sign in to the network</html>"),
        Some(Fault::NotASnapshot) => whole(200, r#"{"format":1,"revision":-1,"flags":7}"#),
        Some(Fault::Untagged) => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        }
        Some(Fault::Endless) => {
            let mut bytes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
            bytes.resize(33 << 20, b' ');
            bytes
        }
        _ => whole(request.status, &body),
    }
}
