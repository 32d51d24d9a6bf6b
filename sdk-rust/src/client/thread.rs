//! The client's thread: how it starts and how it is stopped.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem, process};

use tokio::runtime::Builder;
use tokio::sync::{mpsc as async_mpsc, oneshot};

use super::resolve::SubjectRequest;
use super::session::{Report, Session};
use super::settings::ClientSettings;
use super::shared::Shared;
use super::{ClientCode, ClientError};

/// The wait for a name lookup or a key function at the end of the thread. Neither can be cancelled.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(250);

/// The way in which a thread is stopped.
#[derive(Debug, Clone, Copy)]
pub(super) enum StopMode {
    /// At once and without a sign-off, because another thread will take over.
    Pause,
    /// After the last request, which signs off.
    Close,
    /// Like `Close`, but all within this time.
    CloseWithin(Duration),
}

/// The thread of a client, and the name under which the server knows it.
pub(super) struct Lifecycle {
    pub(super) worker: Option<Worker>,
    pub(super) instance: String,
    /// The process that the instance was named in. A forked child has another one.
    pub(super) process: u32,
}

/// A running thread that follows the server.
pub(super) struct Worker {
    handle: JoinHandle<()>,
    stop: oneshot::Sender<StopMode>,
    subjects: async_mpsc::UnboundedSender<SubjectRequest>,
    /// Disconnected when the thread is about to end.
    ended: mpsc::Receiver<()>,
    process: u32,
}

impl Worker {
    /// Starts a thread that follows the server. `report` is set for the first thread of a client,
    /// which also loads the file and the given snapshot.
    pub(super) fn start(
        shared: Arc<Shared>,
        settings: Arc<ClientSettings>,
        instance: String,
        report: Option<Report>,
        began: Instant,
    ) -> Result<Worker, ClientError> {
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = mpsc::channel();
        let (subjects, asked) = async_mpsc::unbounded_channel();
        let body = move || {
            follow(shared, settings, instance, report, began, stopped, asked);
            drop(ending);
        };
        let handle = thread::Builder::new()
            .name("dezky-client".into())
            .spawn(body)
            .map_err(|error| no_thread(&error))?;
        Ok(Worker { handle, stop, subjects, ended, process: process::id() })
    }

    /// Passes a request for a subject to the thread. Returns `false` if the caller cannot wait for
    /// the reply: the thread has ended, or the caller is a handler on it.
    pub(super) fn request_subject(&self, request: SubjectRequest) -> bool {
        let can_wait = self.process == process::id() && self.handle.thread().id() != thread::current().id();
        can_wait && self.subjects.send(request).is_ok()
    }

    /// Stops the thread, and waits until it, its sockets and its timers are gone.
    pub(super) fn stop(self, mode: StopMode) {
        if self.process != process::id() {
            // The thread exists only in the parent process. Waking it would use the parent's
            // handles.
            mem::forget(self);
            return;
        }
        let _ = self.stop.send(mode);
        // Called by a handler: the thread ends after the handler has returned.
        if self.handle.thread().id() == thread::current().id() {
            return;
        }
        if let StopMode::CloseWithin(limit) = mode
            && self.ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            return;
        }
        let _ = self.handle.join();
    }
}

fn follow(
    shared: Arc<Shared>,
    settings: Arc<ClientSettings>,
    instance: String,
    report: Option<Report>,
    began: Instant,
    stopped: oneshot::Receiver<StopMode>,
    asked: async_mpsc::UnboundedReceiver<SubjectRequest>,
) {
    // Name lookups and key functions block, so they run on at most two further threads, which end
    // when they are idle.
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
    let session = Session::new(shared, settings, instance, report);
    runtime.block_on(async {
        if is_first {
            session.begin();
        }
        let mode = tokio::select! {
            biased;
            mode = stopped => mode.unwrap_or(StopMode::Pause),
            () = session.run(began, asked) => StopMode::Pause,
        };
        match mode {
            StopMode::Pause => {}
            StopMode::Close => session.sign_off(sign_off).await,
            StopMode::CloseWithin(limit) => session.sign_off(sign_off.min(limit)).await,
        }
    });
    drop(session);
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
}

fn no_thread(error: &io::Error) -> ClientError {
    ClientError::new(ClientCode::Unreachable, format!("the client's thread cannot start: {error}"))
}
