//! How a client comes to be, pauses, goes on, and ends.

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use std::time::Instant;

use super::chance;
use super::held::Held;
use super::settings::Settings;
use super::shared::Shared;
use super::thread::{Ending, Worker};
use super::work::Report;
use super::{Client, ClientError, ClientEvent, ClientStatus, ConnectOptions, PastDeadline};

/// Past the deadline the client's thread answers at once; where a handler holds it up, that is not waited for.
const GRACE: Duration = Duration::from_millis(100);

/// What happens to a client's thread.
pub(super) struct Life {
    pub(super) worker: Option<Worker>,
    pub(super) instance: String,
    /// The process that the instance is named for.
    process: u32,
}

impl Client {
    /// Connects, and returns as soon as there are rules, at the latest at the deadline.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn connect(options: ConnectOptions) -> Result<Client, ClientError> {
        let (tell, told) = mpsc::sync_channel(1);
        let report = move |outcome| drop(tell.send(outcome));
        let (client, began) = Client::begin(options, Box::new(report))?;
        let patience = client.settings.deadline.saturating_add(GRACE).saturating_sub(began.elapsed());
        match told.recv_timeout(patience) {
            Ok(Ok(())) => Ok(client),
            Ok(Err(error)) => {
                // A name that is still being looked up is not waited for.
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

    /// The same without blocking, in any executor.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientError, ConnectOptions};
    /// # async fn start() -> Result<(), ClientError> {
    /// let client = Client::connect_async(ConnectOptions::new("https://flags.example", "dzk_example")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_async(options: ConnectOptions) -> Result<Client, ClientError> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let report = move |outcome| drop(tell.send(outcome));
        let (client, _) = Client::begin(options, Box::new(report))?;
        match told.await {
            Ok(outcome) => outcome.map(|()| client),
            Err(_) => Err(ClientError::deadline(None)),
        }
    }

    fn begin(options: ConnectOptions, report: Report) -> Result<(Client, Instant), ClientError> {
        let began = Instant::now();
        let handlers = options.handlers.clone();
        let settings = Arc::new(Settings::read(options)?);
        let shared = Arc::new(Shared::new(Held::nothing().map_err(ClientError::bad_snapshot)?, handlers));
        let instance = settings.instance.clone().unwrap_or_else(|| chance::instance(settings.sdk));
        let worker = Worker::start(shared.clone(), settings.clone(), instance.clone(), Some(report), began)?;
        let life = Mutex::new(Life { worker: Some(worker), instance, process: process::id() });
        Ok((Client { shared, settings, life }, began))
    }

    /// Ends the client: its thread, sockets and timers are gone when this returns, and no event comes after. Reading goes on with the last rules. From
    /// within a handler it returns at once, and the thread ends after the handler. Dropping a client closes it.
    ///
    /// A client that the server knows signs off with a last request, so that nobody waits for it. That takes a second at most.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientStatus, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// client.close();
    /// assert_eq!(client.status(), ClientStatus::Closed);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn close(&self) {
        self.end(Ending::Close);
    }

    /// Like [`close`](Client::close) for a process that is about to end: it waits no longer than this for a running handler, and for the
    /// last request.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// client.close_within(std::time::Duration::from_secs(1));
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn close_within(&self, patience: Duration) {
        self.end(Ending::CloseWithin(patience));
    }

    fn end(&self, ending: Ending) {
        self.shared.turn(ClientStatus::Closed);
        // Taken first, and waited for without the lock: a handler may close, too.
        let worker = self.life().worker.take();
        if let Some(worker) = worker {
            worker.stop(ending);
        }
        self.shared.off_all();
    }

    /// Ends the thread and its sockets, for now: what a process does before it forks, because threads do not come along. Reading goes on.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// client.pause();
    /// // fork
    /// client.resume();
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn pause(&self) {
        let worker = self.life().worker.take();
        if let Some(worker) = worker {
            worker.stop(Ending::Pause);
        }
    }

    /// Goes on after [`pause`](Client::pause), in the parent and in the child. In a child of a process that did not pause, the thread that stayed
    /// behind is forgotten and another one started.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// client.resume();
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn resume(&self) {
        let mut life = self.life();
        if life.process != process::id() {
            life.process = process::id();
            if let Some(left_behind) = life.worker.take() {
                left_behind.stop(Ending::Pause);
            }
            if self.settings.instance.is_none() {
                life.instance = chance::instance(self.settings.sdk);
            }
        }
        if life.worker.is_some() || self.status() == ClientStatus::Closed {
            return;
        }
        let (shared, settings) = (self.shared.clone(), self.settings.clone());
        match Worker::start(shared, settings, life.instance.clone(), None, Instant::now()) {
            Ok(worker) => life.worker = Some(worker),
            Err(error) => {
                drop(life);
                self.shared.emit(&ClientEvent::Error { error, fatal: false });
            }
        }
    }

    pub(super) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}
