//! How a client is to connect, and the reading of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::shared::Handler;
use super::{ClientEvent, Key, Timing};

/// What `connect` does when there are no rules from the server by the deadline, or when the server refuses the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastDeadline {
    /// `connect` fails with the code [`Deadline`](super::ClientCode::Deadline), whose cause is the last problem, or with
    /// [`KeyRefused`](super::ClientCode::KeyRefused). This is the default without a file.
    Fail,
    /// The client goes on with the last-known-good file, and `connect` fails if there is none. If the server cannot be reached, that
    /// happens at once and not at the deadline. This is the default with a file.
    File,
    /// The client goes on with no flags at all: everything is off.
    Off,
}

/// How a client is to connect: where to, with which key, and what else differs from the ordinary.
///
/// ```
/// use dezky::{ConnectOptions, PastDeadline};
/// use std::time::Duration;
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
    pub(super) handlers: Vec<Handler>,
    pub(super) timing: Timing,
}

impl ConnectOptions {
    /// The server's base URL, whose path is kept as a prefix; and a machine key or an access token. The URL is on `https`, or on `http` to
    /// a loopback address.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example");
    /// ```
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

    /// Follows the slice of one tenant, by its slug, instead of the whole snapshot.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").tenant("acme");
    /// ```
    #[must_use]
    pub fn tenant(self, slug: impl Into<String>) -> ConnectOptions {
        ConnectOptions { tenant: Some(slug.into()), ..self }
    }

    /// Starts with this snapshot document at once: `connect` does not wait for the server.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let bytes = br#"{ "format": 1, "revision": 7, "environment": "production", "flags": [] }"#;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").snapshot(*bytes);
    /// ```
    #[must_use]
    pub fn snapshot(self, document: impl Into<Vec<u8>>) -> ConnectOptions {
        ConnectOptions { snapshot: Some(document.into()), ..self }
    }

    /// Where to keep the last rules that were good: written after each change, read at the start. If the server does not answer then,
    /// the client goes on with them, unless [`past_deadline`](ConnectOptions::past_deadline) says otherwise.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").file("/var/lib/portal/flags.json");
    /// ```
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>) -> ConnectOptions {
        ConnectOptions { file: Some(path.into()), ..self }
    }

    /// The longest that `connect` takes: 5 seconds, unless set.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// # use std::time::Duration;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").deadline(Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> ConnectOptions {
        ConnectOptions { deadline, ..self }
    }

    /// What happens past the deadline. Unless set, the client goes on with the file, and `connect` fails if none was named.
    ///
    /// ```
    /// # use dezky::{ConnectOptions, PastDeadline};
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").past_deadline(PastDeadline::Off);
    /// ```
    #[must_use]
    pub fn past_deadline(self, past_deadline: PastDeadline) -> ConnectOptions {
        ConnectOptions { past_deadline: Some(past_deadline), ..self }
    }

    /// After how long without a word from the server the rules are stale: 60 seconds, unless set.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// # use std::time::Duration;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").stale_after(Duration::from_secs(300));
    /// ```
    #[must_use]
    pub fn stale_after(self, stale_after: Duration) -> ConnectOptions {
        ConnectOptions { stale_after, ..self }
    }

    /// The longest wait between two attempts: 30 seconds, unless set. While the server refuses the key it is twice as long.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// # use std::time::Duration;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").max_backoff(Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn max_backoff(self, max_backoff: Duration) -> ConnectOptions {
        ConnectOptions { max_backoff, ..self }
    }

    /// What the server knows this instance by: 1 to 64 of `A-Z a-z 0-9 _ . -`. Random, unless set; a forked child gets another then.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").instance("portal-7");
    /// ```
    #[must_use]
    pub fn instance(self, name: impl Into<String>) -> ConnectOptions {
        ConnectOptions { instance: Some(name.into()), ..self }
    }

    /// Lets the key travel over plain `http` to other machines, where everybody on the way can read it.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("http://flags.internal", "dzk_example").allow_http();
    /// ```
    #[must_use]
    pub fn allow_http(self) -> ConnectOptions {
        ConnectOptions { allow_http: true, ..self }
    }

    /// Calls a handler with each event from the very start on, on the client's thread, one after another. One that waits holds the client up.
    ///
    /// ```
    /// # use dezky::ConnectOptions;
    /// let options = ConnectOptions::new("https://flags.example", "dzk_example").on(|event| println!("{}", event.name()));
    /// ```
    #[must_use]
    pub fn on(mut self, handler: impl Fn(&ClientEvent) + Send + Sync + 'static) -> ConnectOptions {
        self.handlers.push(Arc::new(handler));
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn timing(self, timing: Timing) -> ConnectOptions {
        ConnectOptions { timing, ..self }
    }

    /// The kind of SDK, which random instance names begin with.
    #[doc(hidden)]
    #[must_use]
    pub fn sdk(self, sdk: &'static str) -> ConnectOptions {
        ConnectOptions { sdk, ..self }
    }
}

/// Without the key, and without handlers.
impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut form = formatter.debug_struct("ConnectOptions");
        form.field("url", &self.url).field("key", &self.key).field("tenant", &self.tenant);
        form.field("file", &self.file).field("deadline", &self.deadline);
        form.field("past_deadline", &self.past_deadline).field("stale_after", &self.stale_after);
        form.field("max_backoff", &self.max_backoff).field("instance", &self.instance);
        form.finish_non_exhaustive()
    }
}
