//! The client's one thread: how it starts, and how it is made to end.

use std::process;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::{mpsc as mpsc_async, oneshot};

use super::resolve::Ask;
use super::settings::Settings;
use super::shared::Shared;
use super::work::{Report, Work};
use super::{ClientCode, ClientError};

/// How long the end of a look-up of a name or a key is waited for, which nothing can cut short.
const PATIENCE: Duration = Duration::from_millis(250);

/// How a thread is to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    /// Without a word, because another thread goes on.
    Pause,
    /// After a last request that signs off.
    Close,
    /// The same, all within this time.
    CloseWithin(Duration),
}

/// A running thread.
pub(super) struct Worker {
    handle: JoinHandle<()>,
    stop: oneshot::Sender<Ending>,
    asks: mpsc_async::UnboundedSender<Ask>,
    /// Closed when the thread is about to end.
    ended: mpsc::Receiver<()>,
    process: u32,
}

impl Worker {
    /// Starts a thread that follows the server. Where `report` is given, it begins from nothing.
    pub(super) fn start(
        shared: Arc<Shared>,
        settings: Arc<Settings>,
        instance: String,
        report: Option<Report>,
        began: Instant,
    ) -> Result<Worker, ClientError> {
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = mpsc::channel();
        let (asks, asked) = mpsc_async::unbounded_channel();
        let body = move || {
            follow(shared, settings, instance, report, began, stopped, asked);
            drop(ending);
        };
        let handle = thread::Builder::new()
            .name("dezky-client".into())
            .spawn(body)
            .map_err(|error| no_thread(&error))?;
        Ok(Worker { handle, stop, asks, ended, process: process::id() })
    }

    /// Has the thread ask for a subject. `false` if the caller cannot wait for it: the thread is gone, or the caller is a handler on it.
    pub(super) fn ask(&self, ask: Ask) -> bool {
        let is_here = self.process == process::id() && self.handle.thread().id() != thread::current().id();
        is_here && self.asks.send(ask).is_ok()
    }

    /// Ends the thread, and waits until it, its sockets and timers are gone.
    pub(super) fn stop(self, ending: Ending) {
        if self.process != process::id() {
            // The thread stayed behind in the parent. Even waking it would reach over there.
            std::mem::forget(self);
            return;
        }
        let _ = self.stop.send(ending);
        // From one of its own handlers: it ends when that returns.
        if self.handle.thread().id() == thread::current().id() {
            return;
        }
        if let Ending::CloseWithin(patience) = ending
            && self.ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            return;
        }
        let _ = self.handle.join();
    }
}

fn follow(
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    instance: String,
    report: Option<Report>,
    began: Instant,
    stopped: oneshot::Receiver<Ending>,
    asked: mpsc_async::UnboundedReceiver<Ask>,
) {
    // Names are looked up, and functions asked for keys, on threads beside: at most two, and gone when idle.
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .thread_name("dezky-client-beside")
        .thread_keep_alive(Duration::from_secs(1))
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            if let Some(report) = report {
                report(Err(no_thread(&error)));
            }
            return;
        }
    };
    let is_first = report.is_some();
    let sign_off = settings.timing.sign_off;
    let work = Work::new(shared, settings, instance, report);
    runtime.block_on(async {
        if is_first {
            work.begin();
        }
        let ending = tokio::select! {
            biased;
            ending = stopped => ending.unwrap_or(Ending::Pause),
            () = work.run(began, asked) => Ending::Pause,
        };
        match ending {
            Ending::Pause => {}
            Ending::Close => work.sign_off(sign_off).await,
            Ending::CloseWithin(patience) => work.sign_off(sign_off.min(patience)).await,
        }
    });
    drop(work);
    runtime.shutdown_timeout(PATIENCE);
}

fn no_thread(error: &std::io::Error) -> ClientError {
    ClientError::new(ClientCode::Unreachable, error.to_string())
}
