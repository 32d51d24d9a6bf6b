//! Stream readers on their own thread, so that they do not delay acknowledgements.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::Failure;
use crate::client::request;

/// The longest wait for an event. A longer wait ends the run.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The polling interval of `news`. The readers record the times, so it does not affect them.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// An open stream that returns one event at a time.
pub struct EventStream {
    stream: TcpStream,
    received: Vec<u8>,
    is_open: bool,
}

impl EventStream {
    /// Opens a stream with a machine key.
    pub async fn open(address: SocketAddr, key: &str) -> Result<EventStream, Failure> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&request("GET", "/flags/stream", key, "", "")).await?;
        Ok(EventStream { stream, received: Vec::with_capacity(512), is_open: false })
    }

    /// Returns the revision of the next event and skips heartbeats.
    pub async fn next(&mut self) -> Result<u64, Failure> {
        loop {
            if let Some(event) = take_event(&mut self.received) {
                if let Some(revision) = revision(&event) {
                    return Ok(revision);
                }
                continue;
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("a stream has ended".into());
            }
            if !self.is_open && self.received.len() >= OK.len() {
                if !self.received.starts_with(OK) {
                    return Err(format!("no stream: {}", String::from_utf8_lossy(&self.received)).into());
                }
                self.is_open = true;
            }
        }
    }
}

const OK: &[u8] = b"HTTP/1.1 200";

/// Takes all bytes up to the end of the first event, with HTTP heads and chunk sizes in them.
fn take_event(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = received.windows(2).position(|window| window == b"\n\n")?;
    Some(received.drain(..end + 2).collect())
}

fn revision(event: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(event).ok()?;
    let (_, rest) = text.split_once("data: {\"revision\":")?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// The revision of an event and the time of its arrival.
struct Arrival {
    revision: u64,
    at: Instant,
}

#[derive(Default)]
struct ReaderState {
    arrivals: Vec<Arrival>,
    failure: Option<String>,
}

/// A group of streams that receive the same events.
pub struct Readers {
    count: usize,
    state: Arc<Mutex<ReaderState>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Readers {
    /// Opens the streams and waits for the first event of each.
    pub async fn open(address: SocketAddr, key: &str, count: usize) -> Result<Readers, Failure> {
        let state: Arc<Mutex<ReaderState>> = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let (key, shared) = (key.to_owned(), Arc::clone(&state));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.map_err(Failure::from).and_then(|runtime| {
                runtime.block_on(async {
                    for _ in 0..count {
                        let stream = EventStream::open(address, &key).await?;
                        tokio::spawn(read(stream, Arc::clone(&shared)));
                    }
                    // An error means that the receiver is gone, which also ends the thread.
                    let _ = stopped.await;
                    Ok(())
                })
            });
            fail(&shared, outcome);
        });
        let readers = Readers { count, state, stop: Some(stop), thread: Some(thread) };
        readers.news().await?;
        Ok(readers)
    }

    /// Waits for one more event on every stream and returns the arrival times.
    ///
    /// All streams must report the same revision.
    pub async fn news(&self) -> Result<Vec<Instant>, Failure> {
        let start = Instant::now();
        loop {
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(failure) = &state.failure {
                    return Err(failure.clone().into());
                }
                if state.arrivals.len() >= self.count {
                    let arrivals: Vec<Arrival> = state.arrivals.drain(..self.count).collect();
                    let first = arrivals.first().map(|arrival| arrival.revision);
                    return match arrivals.iter().all(|arrival| Some(arrival.revision) == first) {
                        true => Ok(arrivals.iter().map(|arrival| arrival.at).collect()),
                        false => Err("streams report different revisions".into()),
                    };
                }
                if start.elapsed() > TIMEOUT {
                    return Err(format!("news reached {} of {}", state.arrivals.len(), self.count).into());
                }
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

async fn read(mut stream: EventStream, state: Arc<Mutex<ReaderState>>) {
    loop {
        match stream.next().await {
            Ok(revision) => {
                let arrival = Arrival { revision, at: Instant::now() };
                state.lock().unwrap_or_else(PoisonError::into_inner).arrivals.push(arrival);
            }
            Err(failure) => return fail(&state, Err(failure)),
        }
    }
}

fn fail(state: &Mutex<ReaderState>, outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        state.lock().unwrap_or_else(PoisonError::into_inner).failure.get_or_insert(failure.to_string());
    }
}

impl Drop for Readers {
    /// Closes every stream and waits for the thread.
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_between_heads_chunks_and_heartbeats() {
        let text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3a\r\n\
            id: 7\nevent: revision\ndata: {\"revision\":7,\"digest\":\"ab\"}\n\n\r\n3\r\n:\n\n\r\n3a\r\n\
            id: 12\nevent: revision\ndata: {\"revision\":12,\"digest\":\"cd\"}\n\n\r\n";
        let mut found = Vec::new();
        let mut received = Vec::new();
        for byte in text.bytes() {
            received.push(byte);
            while let Some(event) = take_event(&mut received) {
                found.push(revision(&event));
            }
        }
        assert_eq!(found, [Some(7), None, Some(12)]);
    }
}
