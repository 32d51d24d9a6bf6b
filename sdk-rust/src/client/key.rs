//! The credential of a client: a string, or a function that returns one for each request.

use std::fmt::{self, Debug, Display, Formatter};
use std::sync::Arc;

type KeyFunction = dyn Fn() -> Result<String, String> + Send + Sync;

/// A machine key or an access token, or a function that returns one.
///
/// ```
/// use dezky::Key;
///
/// let fixed = Key::from("dzk_example");
/// let rotating = Key::try_from_fn(|| std::fs::read_to_string("/run/secrets/token"));
/// assert!(!format!("{fixed:?}").contains("dzk_example"));
/// ```
#[derive(Clone)]
pub struct Key(pub(super) KeySource);

#[derive(Clone)]
pub(super) enum KeySource {
    Fixed(String),
    Function(Arc<KeyFunction>),
}

impl Key {
    /// A key that a function returns for each request. The function runs on a thread where it may
    /// block.
    pub fn from_fn(function: impl Fn() -> String + Send + Sync + 'static) -> Key {
        Key(KeySource::Function(Arc::new(move || Ok(function()))))
    }

    /// Like [`from_fn`](Key::from_fn), but the function may fail: the request is then retried
    /// later, as for an unreachable server.
    pub fn try_from_fn<E: Display>(function: impl Fn() -> Result<String, E> + Send + Sync + 'static) -> Key {
        Key(KeySource::Function(Arc::new(move || function().map_err(|error| error.to_string()))))
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key(KeySource::Fixed(text.into()))
    }
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key(KeySource::Fixed(text))
    }
}

/// Prints the kind of the key, never the key itself.
impl Debug for Key {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            KeySource::Fixed(_) => "Key(text)",
            KeySource::Function(_) => "Key(function)",
        })
    }
}
