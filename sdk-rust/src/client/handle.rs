//! The type `Client`, and the methods that read rules and register handlers.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex};

use super::settings::ClientSettings;
use super::shared::Shared;
use super::thread::Lifecycle;
use super::{ClientEvent, ClientStatus, CurrentRuleset, HandlerId};
use dezky_core::flags::{Evaluation, Subject};

/// A live client: rules in memory that follow the server, on one background thread.
///
/// Reading rules never waits, not even while the thread swaps them.
///
/// ```no_run
/// use dezky::flags::Subject;
/// use dezky::{Client, ConnectOptions};
///
/// let options = ConnectOptions::new("https://flags.example", std::env::var("DEZKY_KEY").unwrap())
///     .file("/var/lib/portal/flags.json")
///     .on(|event| println!("{event:?}"));
/// let client = Client::connect(options)?;
/// let subject = Subject::new("t1", "acme", "business").unwrap();
/// if client.is_enabled("jmap_native_v2", &subject) {
///     println!("the flag is on");
/// }
/// # Ok::<(), dezky::ClientError>(())
/// ```
///
/// The client reads no environment variables. In particular, it uses no proxy: requests go straight
/// to the server. The system's certificate store decides which certificates are trusted.
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<ClientSettings>,
    pub(super) lifecycle: Mutex<Lifecycle>,
}

impl Client {
    /// Returns the rules in use, in a few nanoseconds. Keep them while several answers must come
    /// from one revision.
    #[inline]
    pub fn ruleset(&self) -> CurrentRuleset {
        CurrentRuleset(self.shared.current.load())
    }

    /// Returns whether a flag is on for a subject. A flag that does not exist is off.
    #[inline]
    pub fn is_enabled(&self, key: &str, subject: &Subject<'_>) -> bool {
        self.ruleset().is_enabled(key, subject)
    }

    /// Evaluates every flag for a tenant. Later changes do not affect the result.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let options = ConnectOptions::new("https://flags.example", "dzk_example");
    /// # let client = Client::connect(options)?;
    /// let acme = client.subject("acme")?;
    /// let flags = client.for_tenant(&acme.subject());
    /// if flags.is_enabled("jmap_native_v2") {
    ///     println!("the flag is on");
    /// }
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn for_tenant(&self, subject: &Subject<'_>) -> Evaluation {
        self.ruleset().evaluate_all(subject)
    }

    /// Returns the status of the client.
    pub fn status(&self) -> ClientStatus {
        self.shared.status()
    }

    /// Returns the name under which the server knows this instance.
    pub fn instance(&self) -> String {
        self.lifecycle().instance.clone()
    }

    /// Registers a handler that receives every event from now on.
    ///
    /// Handlers run one after another on the client's thread, so a handler that blocks also blocks
    /// the client. A handler that panics does not affect the client or other handlers.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientEvent, ConnectOptions};
    /// # let options = ConnectOptions::new("https://flags.example", "dzk_example");
    /// # let client = Client::connect(options)?;
    /// let handler = client.on(|event| {
    ///     if let ClientEvent::Change { keys, .. } = event {
    ///         println!("{} flags changed", keys.len());
    ///     }
    /// });
    /// client.off(handler);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn on(&self, handler: impl Fn(&ClientEvent) + Send + Sync + 'static) -> HandlerId {
        self.shared.on(Arc::new(handler))
    }

    /// Removes a handler, which receives no more events.
    pub fn off(&self, handler: HandlerId) {
        self.shared.off(handler);
    }
}

impl Debug for Client {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut form = formatter.debug_struct("Client");
        form.field("url", &self.settings.snapshot_url.as_str());
        form.field("status", &self.status()).field("revision", &self.ruleset().revision()).finish()
    }
}
