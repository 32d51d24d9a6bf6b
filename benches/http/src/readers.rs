//! Readers of streams of news: a thread of their own, so that an acknowledgement is never noted late because of what arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::Failure;
use crate::client::request;

/// An event that takes longer than this ends the run.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often whoever waits looks whether everything has arrived. The times are noted by the readers, not here.
const LOOK: Duration = Duration::from_millis(5);

/// One stream, read event by event.
pub struct EventStream {
    stream: TcpStream,
    received: Vec<u8>,
    is_open: bool,
}

impl EventStream {
    /// Asks for it.
    pub async fn open(address: SocketAddr, key: &str) -> Result<EventStream, Failure> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&request("GET", "/flags/stream", key, "", "")).await?;
        Ok(EventStream { stream, received: Vec::with_capacity(512), is_open: false })
    }

    /// The revision of the next event. Heartbeats are passed over.
    pub async fn next(&mut self) -> Result<u64, Failure> {
        loop {
            if let Some(event) = taken(&mut self.received) {
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

/// Everything up to the end of the first event, taken off. What frames it, the head and the sizes of chunks, stays in.
fn taken(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = received.windows(2).position(|window| window == b"\n\n")?;
    Some(received.drain(..end + 2).collect())
}

fn revision(event: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(event).ok()?;
    let (_, rest) = text.split_once("data: {\"revision\":")?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// An event, read.
struct Arrival {
    revision: u64,
    at: Instant,
}

#[derive(Default)]
struct Seen {
    arrivals: Vec<Arrival>,
    failure: Option<String>,
}

/// Many readers of the same news.
pub struct Readers {
    count: usize,
    seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Readers {
    /// Opens so many streams, and waits until each has had its first event.
    pub async fn open(address: SocketAddr, key: &str, count: usize) -> Result<Readers, Failure> {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let (key, shared) = (key.to_owned(), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.map_err(Failure::from).and_then(|runtime| {
                runtime.block_on(async {
                    for _ in 0..count {
                        let stream = EventStream::open(address, &key).await?;
                        tokio::spawn(read(stream, Arc::clone(&shared)));
                    }
                    // Whoever reads them is gone when this fails, too.
                    let _ = stopped.await;
                    Ok(())
                })
            });
            fail(&shared, outcome);
        });
        let readers = Readers { count, seen, stop: Some(stop), thread: Some(thread) };
        readers.news().await?;
        Ok(readers)
    }

    /// Waits until every stream has had one more event; says when. All of them say the same.
    pub async fn news(&self) -> Result<Vec<Instant>, Failure> {
        let start = Instant::now();
        loop {
            {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(failure) = &seen.failure {
                    return Err(failure.clone().into());
                }
                if seen.arrivals.len() >= self.count {
                    let arrivals: Vec<Arrival> = seen.arrivals.drain(..self.count).collect();
                    let first = arrivals.first().map(|arrival| arrival.revision);
                    return match arrivals.iter().all(|arrival| Some(arrival.revision) == first) {
                        true => Ok(arrivals.iter().map(|arrival| arrival.at).collect()),
                        false => Err("streams say different things".into()),
                    };
                }
                if start.elapsed() > PATIENCE {
                    return Err(format!("news reached {} of {}", seen.arrivals.len(), self.count).into());
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn read(mut stream: EventStream, seen: Arc<Mutex<Seen>>) {
    loop {
        match stream.next().await {
            Ok(revision) => {
                let arrival = Arrival { revision, at: Instant::now() };
                seen.lock().unwrap_or_else(PoisonError::into_inner).arrivals.push(arrival);
            }
            Err(failure) => return fail(&seen, Err(failure)),
        }
    }
}

fn fail(seen: &Mutex<Seen>, outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        seen.lock().unwrap_or_else(PoisonError::into_inner).failure.get_or_insert(failure.to_string());
    }
}

impl Drop for Readers {
    /// Every stream is closed afterwards.
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
            while let Some(event) = taken(&mut received) {
                found.push(revision(&event));
            }
        }
        assert_eq!(found, [Some(7), None, Some(12)]);
    }
}
