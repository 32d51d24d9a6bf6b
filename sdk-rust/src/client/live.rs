//! The client as its readers and listeners see it.

use std::sync::{Arc, Mutex};

use super::life::Life;
use super::settings::Settings;
use super::shared::Shared;
use super::{ClientEvent, ClientStatus, CurrentRuleset, HandlerId};

/// Rules that follow the server, in the background, on one thread of the client's own. Reading never waits.
///
/// ```no_run
/// use dezky::{Client, ConnectOptions};
/// use dezky::flags::Subject;
/// let options = ConnectOptions::new("https://flags.example", std::env::var("DEZKY_KEY").unwrap())
///     .file("/var/lib/portal/flags.json")
///     .on(|event| println!("{event:?}"));
/// let client = Client::connect(options)?;
/// let subject = Subject::new("t1", "acme", "business").unwrap();
/// if client.is_enabled("jmap_native_v2", &subject) {
///     println!("the new way");
/// }
/// # Ok::<(), dezky::ClientError>(())
/// ```
///
/// Nothing of the environment is read, proxies least of all: requests go straight to the server. Trust in its certificate is the system's.
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<Settings>,
    pub(super) life: Mutex<Life>,
}

impl Client {
    /// The rules of this moment. It costs a few nanoseconds; whoever needs several answers of one revision keeps it meanwhile.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// println!("revision {}", client.ruleset().revision());
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    #[inline]
    pub fn ruleset(&self) -> CurrentRuleset {
        CurrentRuleset(self.shared.current.load())
    }

    /// Whether a flag is on for a subject by the rules of this moment. A flag that does not exist is off.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # use dezky::flags::Subject;
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let enabled = client.is_enabled("jmap_native_v2", &Subject::new("t1", "acme", "business").unwrap());
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    #[inline]
    pub fn is_enabled(&self, key: &str, subject: &dezky_core::flags::Subject<'_>) -> bool {
        self.ruleset().is_enabled(key, subject)
    }

    /// Every flag for a tenant by the rules of this moment, whatever comes after.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # use dezky::flags::Subject;
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let flags = client.for_tenant(&Subject::new("t1", "acme", "business").unwrap());
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn for_tenant(&self, subject: &dezky_core::flags::Subject<'_>) -> dezky_core::flags::Evaluation {
        self.ruleset().evaluate_all(subject)
    }

    /// The state that the client is in.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientStatus, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// assert_eq!(client.status(), ClientStatus::Ready);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn status(&self) -> ClientStatus {
        self.shared.status()
    }

    /// What the server knows this instance by.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// assert!(client.instance().starts_with("rust-"));
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn instance(&self) -> String {
        self.life().instance.clone()
    }

    /// Calls a handler with each event from now on, on the client's thread, one after another. One that waits holds the client up; one that panics
    /// harms nobody.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientEvent, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let id = client.on(|event| {
    ///     if let ClientEvent::Change { keys, .. } = event {
    ///         println!("{} flags changed", keys.len());
    ///     }
    /// });
    /// client.off(id);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn on(&self, handler: impl Fn(&ClientEvent) + Send + Sync + 'static) -> HandlerId {
        self.shared.on(Arc::new(handler))
    }

    /// Takes a handler off.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let id = client.on(|event| println!("{event:?}"));
    /// client.off(id);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn off(&self, handler: HandlerId) {
        self.shared.off(handler);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut form = formatter.debug_struct("Client");
        form.field("url", &self.settings.snapshot_url.as_str());
        form.field("status", &self.status()).field("revision", &self.ruleset().revision()).finish()
    }
}
