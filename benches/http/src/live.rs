//! A service that evaluates by itself: rules of its own, fetched anew whenever a stream says that there are others, on a thread of its own.
//!
//! It does what the client of `dezky-core` does and no more: it neither checks digests nor recovers. Whoever puts that client here keeps `Live` as it is.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dezky_core::{Ruleset, Snapshot, Subject};
use tokio::sync::{mpsc, oneshot};

use crate::Failure;
use crate::client::{Client, request};
use crate::readers::EventStream;

/// A change that takes longer than this ends the run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is evaluated after each change.
#[derive(Clone)]
pub struct Question {
    /// The flag.
    pub flag: String,
    /// Id, slug and plan of the tenant.
    pub tenant: [String; 3],
}

/// What it was told, and when.
type Told = Result<(Instant, bool), String>;

/// One such service.
pub struct Live {
    told: mpsc::UnboundedReceiver<Told>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Starts it, and waits until it has evaluated once.
    pub async fn connect(address: SocketAddr, key: &str, question: Question) -> Result<Live, Failure> {
        let (tell, told) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let key = key.to_owned();
        let thread = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                tokio::select! {
                    failure = follow(address, &key, &question, &tell) => {
                        let failure = failure.err().map_or_else(String::new, |failure| failure.to_string());
                        // Nobody listens any more once the run is over.
                        let _ = tell.send(Err(failure));
                    }
                    _ = stopped => {}
                }
            });
        });
        let mut live = Live { told, stop: Some(stop), thread: Some(thread) };
        live.evaluates(false).await?;
        Ok(live)
    }

    /// Waits until it evaluates to this; says when it did so first.
    pub async fn evaluates(&mut self, wanted: bool) -> Result<Instant, Failure> {
        loop {
            let told = tokio::time::timeout(PATIENCE, self.told.recv()).await?;
            let (at, is_enabled) = told.ok_or("a client is gone")??;
            if is_enabled == wanted {
                return Ok(at);
            }
        }
    }
}

async fn follow(
    address: SocketAddr,
    key: &str,
    question: &Question,
    tell: &mpsc::UnboundedSender<Told>,
) -> Result<(), Failure> {
    let [id, slug, plan] = &question.tenant;
    let subject = Subject::new(id, slug, plan)?;
    let mut client = Client::connect(address).await?;
    let mut events = EventStream::open(address, key).await?;
    let mut etag = String::new();
    loop {
        events.next().await?;
        let known = if etag.is_empty() { String::new() } else { format!("if-none-match: {etag}\r\n") };
        let answer = client.ask(&request("GET", "/flags/snapshot", key, &known, "")).await?;
        if answer.status == 304 {
            continue;
        }
        etag = client.header(answer, "etag").ok_or("a snapshot without a tag")?;
        let rules = Ruleset::new(Snapshot::from_json(client.body(answer))?);
        tell.send(Ok((Instant::now(), rules.is_enabled(&question.flag, &subject))))?;
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
