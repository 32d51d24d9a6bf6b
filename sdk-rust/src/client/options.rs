//! The options of `connect`.

use std::fmt::{self, Debug, Formatter};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::shared::EventHandler;
use super::{ClientEvent, Key, Timing};

/// The behavior of `connect` when no rules arrived before the deadline, or when the server refuses
/// the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastDeadline {
    /// `connect` fails with [`Deadline`](super::ClientCode::Deadline), whose cause is the last
    /// problem, or with [`KeyRefused`](super::ClientCode::KeyRefused). The default without a file.
    Fail,
    /// The client uses the last-known-good file, and `connect` fails if there is none. If the
    /// server cannot be reached, the client does not wait for the deadline. The default with a
    /// file.
    File,
    /// The client starts without flags, so every flag is off.
    Off,
}

/// The options of a client: the server, the key, and deviations from the defaults.
///
/// ```
/// use std::time::Duration;
///
/// use dezky::{ConnectOptions, PastDeadline};
///
/// let options = ConnectOptions::new("https://flags.example/dezky", "dzk_example")
///     .file("/var/lib/portal/flags.json")
///     .deadline(Duration::from_secs(2))
///     .past_deadline(PastDeadline::Off);
/// ```
#[derive(Clone)]
pub struct ConnectOptions {
    pub(super) url: String,
    pub(super) key: Key,
    pub(super) tenant: Option<String>,
    pub(super) snapshot: Option<Vec<u8>>,
    pub(super) file: Option<PathBuf>,
    pub(super) deadline: Duration,
    pub(super) past_deadline: Option<PastDeadline>,
    pub(super) stale_after: Duration,
    pub(super) max_backoff: Duration,
    pub(super) instance: Option<String>,
    pub(super) allow_http: bool,
    pub(super) sdk: &'static str,
    pub(super) handlers: Vec<EventHandler>,
    pub(super) timing: Timing,
}

impl ConnectOptions {
    /// Options with the server's base URL, and a machine key or an access token.
    ///
    /// The URL must use `https`, or `http` with a loopback address. Its path is kept as a prefix.
    pub fn new(url: impl Into<String>, key: impl Into<Key>) -> ConnectOptions {
        ConnectOptions {
            url: url.into(),
            key: key.into(),
            tenant: None,
            snapshot: None,
            file: None,
            deadline: Duration::from_secs(5),
            past_deadline: None,
            stale_after: Duration::from_secs(60),
            max_backoff: Duration::from_secs(30),
            instance: None,
            allow_http: false,
            sdk: "rust",
            handlers: Vec::new(),
            timing: Timing::default(),
        }
    }

    /// Follows the slice of the tenant with this slug, instead of the whole snapshot.
    #[must_use]
    pub fn tenant(self, slug: impl Into<String>) -> ConnectOptions {
        ConnectOptions { tenant: Some(slug.into()), ..self }
    }

    /// Starts with this snapshot document, so `connect` does not wait for the server.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let document = r#"{"format": 1, "revision": 7, "environment": "production", "flags": []}"#;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_").snapshot(document);
    /// ```
    #[must_use]
    pub fn snapshot(self, document: impl Into<Vec<u8>>) -> ConnectOptions {
        ConnectOptions { snapshot: Some(document.into()), ..self }
    }

    /// Keeps the last rules of the server in this file, to start with them when the server does not
    /// answer.
    ///
    /// The client writes the file after each change and reads it at the start.
    /// [`past_deadline`](ConnectOptions::past_deadline) can disable its use.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>) -> ConnectOptions {
        ConnectOptions { file: Some(path.into()), ..self }
    }

    /// Sets the longest time that `connect` takes. The default is 5 seconds.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> ConnectOptions {
        ConnectOptions { deadline, ..self }
    }

    /// Sets the behavior past the deadline. The default is [`File`](PastDeadline::File) with a
    /// file, and [`Fail`](PastDeadline::Fail) without one.
    #[must_use]
    pub fn past_deadline(self, past_deadline: PastDeadline) -> ConnectOptions {
        ConnectOptions { past_deadline: Some(past_deadline), ..self }
    }

    /// Sets the time without a confirmation by the server after which the rules are stale. The
    /// default is 60 seconds.
    #[must_use]
    pub fn stale_after(self, stale_after: Duration) -> ConnectOptions {
        ConnectOptions { stale_after, ..self }
    }

    /// Sets the longest wait between two attempts. The default is 30 seconds. While the server
    /// refuses the key, the limit is twice as long.
    #[must_use]
    pub fn max_backoff(self, max_backoff: Duration) -> ConnectOptions {
        ConnectOptions { max_backoff, ..self }
    }

    /// Sets the name of this instance: 1 to 64 of `A-Z`, `a-z`, `0-9`, `_`, `.` and `-`.
    ///
    /// The server lists instances under their names. The default is a random name, and a forked
    /// child gets another one.
    #[must_use]
    pub fn instance(self, name: impl Into<String>) -> ConnectOptions {
        ConnectOptions { instance: Some(name.into()), ..self }
    }

    /// Allows plain `http` to other machines, although anyone on the way can then read the key.
    #[must_use]
    pub fn allow_http(self) -> ConnectOptions {
        ConnectOptions { allow_http: true, ..self }
    }

    /// Registers a handler that receives every event from the start of `connect`.
    ///
    /// Handlers run one after another on the client's thread, so a handler that blocks also blocks
    /// the client.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example")
    ///     .on(|event| println!("{}", event.name()));
    /// ```
    #[must_use]
    pub fn on(mut self, handler: impl Fn(&ClientEvent) + Send + Sync + 'static) -> ConnectOptions {
        self.handlers.push(Arc::new(handler));
        self
    }

    /// Sets intervals and timeouts. For tests.
    #[doc(hidden)]
    #[must_use]
    pub fn timing(self, timing: Timing) -> ConnectOptions {
        ConnectOptions { timing, ..self }
    }

    /// Sets the kind of SDK, with which random instance names begin. For bindings.
    #[doc(hidden)]
    #[must_use]
    pub fn sdk(self, sdk: &'static str) -> ConnectOptions {
        ConnectOptions { sdk, ..self }
    }
}

/// Prints neither the key nor the handlers.
impl Debug for ConnectOptions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut form = formatter.debug_struct("ConnectOptions");
        form.field("url", &self.url).field("key", &self.key).field("tenant", &self.tenant);
        form.field("file", &self.file).field("deadline", &self.deadline);
        form.field("past_deadline", &self.past_deadline).field("stale_after", &self.stale_after);
        form.field("max_backoff", &self.max_backoff).field("instance", &self.instance);
        form.finish_non_exhaustive()
    }
}
