//! The credential: a text, or something that gives one for each request.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

type Source = dyn Fn() -> Result<String, String> + Send + Sync;

/// A machine key or an access token, or where to get one.
///
/// ```
/// use dezky::Key;
/// let fixed = Key::from("dzk_example");
/// let rotating = Key::from_fn(|| std::fs::read_to_string("/run/secrets/token").unwrap_or_default().trim().to_owned());
/// assert!(!format!("{fixed:?}").contains("dzk_example"));
/// ```
#[derive(Clone)]
pub struct Key(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    Text(String),
    Source(Arc<Source>),
}

impl Key {
    /// A key that is asked for again for each request, on a thread where it may wait.
    ///
    /// ```
    /// # use dezky::Key;
    /// let key = Key::from_fn(|| "dzk_example".to_owned());
    /// ```
    pub fn from_fn(source: impl Fn() -> String + Send + Sync + 'static) -> Key {
        Key(Kind::Source(Arc::new(move || Ok(source()))))
    }

    /// The same where it may fail: the request is tried again later, as if the server had not been reached.
    ///
    /// ```
    /// # use dezky::Key;
    /// let key = Key::try_from_fn(|| std::fs::read_to_string("/run/secrets/token"));
    /// ```
    pub fn try_from_fn<E: Display>(source: impl Fn() -> Result<String, E> + Send + Sync + 'static) -> Key {
        Key(Kind::Source(Arc::new(move || source().map_err(|error| error.to_string()))))
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key(Kind::Text(text.into()))
    }
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key(Kind::Text(text))
    }
}

/// Never the key itself.
impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Kind::Text(_) => "Key(text)",
            Kind::Source(_) => "Key(function)",
        })
    }
}
