//! Connecting, closing, pausing and resuming a client.

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::instance::random_name;
use super::loaded_snapshot::LoadedSnapshot;
use super::phase::PhaseEvent;
use super::session::Report;
use super::settings::ClientSettings;
use super::shared::Shared;
use super::thread::{Lifecycle, StopMode, Worker};
use super::{Client, ClientError, ClientEvent, ClientStatus, ConnectOptions, PastDeadline};

/// The extra wait after the deadline for the client's thread, which may be busy with a handler.
const GRACE: Duration = Duration::from_millis(100);

impl Client {
    /// Connects to a server, and returns as soon as there are rules, at the latest at the deadline.
    ///
    /// ```no_run
    /// use dezky::{Client, ConnectOptions};
    ///
    /// let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn connect(options: ConnectOptions) -> Result<Client, ClientError> {
        let (reply, replied) = mpsc::sync_channel(1);
        let report = move |result| drop(reply.send(result));
        let (client, began) = Client::begin(options, Box::new(report))?;
        let limit = client.settings.deadline.saturating_add(GRACE).saturating_sub(began.elapsed());
        match replied.recv_timeout(limit) {
            Ok(Ok(())) => Ok(client),
            Ok(Err(error)) => {
                // A name lookup that still runs must not hold up the caller.
                client.close_within(GRACE / 2);
                Err(error)
            }
            Err(_) if client.settings.past_deadline == PastDeadline::Off => Ok(client),
            Err(_) => {
                client.close_within(Duration::ZERO);
                Err(ClientError::deadline(None))
            }
        }
    }

    /// Like [`connect`](Client::connect), but asynchronous and for any executor.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientError, ConnectOptions};
    /// # async fn start() -> Result<(), ClientError> {
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example");
    /// let client = Client::connect_async(options).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_async(options: ConnectOptions) -> Result<Client, ClientError> {
        let (reply, replied) = tokio::sync::oneshot::channel();
        let report = move |result| drop(reply.send(result));
        let (client, _) = Client::begin(options, Box::new(report))?;
        match replied.await {
            Ok(result) => result.map(|()| client),
            Err(_) => Err(ClientError::deadline(None)),
        }
    }

    fn begin(options: ConnectOptions, report: Report) -> Result<(Client, Instant), ClientError> {
        let began = Instant::now();
        let handlers = options.handlers.clone();
        let settings = Arc::new(ClientSettings::read(options)?);
        let empty = LoadedSnapshot::empty().map_err(ClientError::bad_snapshot)?;
        let shared = Arc::new(Shared::new(empty, handlers));
        let instance = settings.instance.clone().unwrap_or_else(|| random_name(settings.sdk));
        let worker = Worker::start(shared.clone(), settings.clone(), instance.clone(), Some(report), began)?;
        let lifecycle = Lifecycle { worker: Some(worker), instance, process: process::id() };
        Ok((Client { shared, settings, lifecycle: Mutex::new(lifecycle) }, began))
    }

    /// Closes the client. When this returns, its thread, sockets and timers are gone, and no event
    /// is emitted any more. The last rules stay readable. Dropping a client closes it, too.
    ///
    /// A last request of at most a second tells the server that this instance is gone. A handler
    /// may close its client: the call returns at once, and the thread ends after the handler.
    pub fn close(&self) {
        self.end(StopMode::Close);
    }

    /// Like [`close`](Client::close), but waits at most `limit` for a running handler and for the
    /// last request. For a process that is about to exit.
    pub fn close_within(&self, limit: Duration) {
        self.end(StopMode::CloseWithin(limit));
    }

    fn end(&self, mode: StopMode) {
        self.shared.transition(PhaseEvent::Closed);
        // The lock is released before the wait, because a running handler may close the client,
        // too.
        let worker = self.lifecycle().worker.take();
        if let Some(worker) = worker {
            worker.stop(mode);
        }
        self.shared.remove_handlers();
    }

    /// Stops the thread and its sockets until [`resume`](Client::resume). The rules stay readable.
    ///
    /// Call it before a fork, because a child process does not inherit the thread.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let options = ConnectOptions::new("https://flags.example", "dzk_example");
    /// # let client = Client::connect(options)?;
    /// client.pause();
    /// // Fork here.
    /// client.resume();
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn pause(&self) {
        let worker = self.lifecycle().worker.take();
        if let Some(worker) = worker {
            worker.stop(StopMode::Pause);
        }
    }

    /// Starts a thread again after [`pause`](Client::pause), in the parent and in the child.
    ///
    /// In the child of a process that did not pause, it starts a new thread, too. A child gets
    /// another random instance name.
    pub fn resume(&self) {
        let mut lifecycle = self.lifecycle();
        if lifecycle.process != process::id() {
            lifecycle.process = process::id();
            if let Some(inherited) = lifecycle.worker.take() {
                inherited.stop(StopMode::Pause);
            }
            if self.settings.instance.is_none() {
                lifecycle.instance = random_name(self.settings.sdk);
            }
        }
        if lifecycle.worker.is_some() || self.status() == ClientStatus::Closed {
            return;
        }
        self.shared.transition(PhaseEvent::Resumed);
        let (shared, settings) = (self.shared.clone(), self.settings.clone());
        match Worker::start(shared, settings, lifecycle.instance.clone(), None, Instant::now()) {
            Ok(worker) => lifecycle.worker = Some(worker),
            Err(error) => {
                drop(lifecycle);
                self.shared.emit(&ClientEvent::Error { error, fatal: false });
            }
        }
    }

    pub(super) fn lifecycle(&self) -> MutexGuard<'_, Lifecycle> {
        self.lifecycle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}
