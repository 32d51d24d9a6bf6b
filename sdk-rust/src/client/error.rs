//! Errors between a client and its server, under codes that are the same in every SDK.

use dezky_core::Error;

macro_rules! client_codes {
    ($($(#[$about:meta])* $Variant:ident $text:literal)*) => {
        /// The stable code of a [`ClientError`].
        ///
        /// Its string never changes once released, and is the same in every SDK.
        ///
        /// ```
        /// assert_eq!(dezky::ClientCode::KeyRefused.as_str(), "key_refused");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ClientCode {
            $($(#[$about])* $Variant,)*
        }

        impl ClientCode {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [ClientCode] = &[$(ClientCode::$Variant,)*];

            /// Returns the stable string of the code.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ClientCode::$Variant => $text,)*
                }
            }
        }
    };
}

client_codes! {
    /// The server refuses the key: it is wrong, revoked, or not allowed to do this. The client
    /// keeps retrying with a growing backoff.
    KeyRefused "key_refused"
    /// The server did not answer: no connection, an unknown host, an untrusted certificate, a reset
    /// or a timeout.
    Unreachable "unreachable"
    /// The server asks for fewer requests.
    RateLimited "rate_limited"
    /// The client cannot use the response: a redirect, a server error, or not a Dezky server.
    UnexpectedStatus "unexpected_status"
    /// The response is not a snapshot.
    BadSnapshot "bad_snapshot"
    /// The response does not match the digest that the server announced for it.
    DigestMismatch "digest_mismatch"
    /// The server returned a revision below the one that the client has.
    OlderRevision "older_revision"
    /// The last-known-good file cannot be read or written.
    FileUnusable "file_unusable"
    /// No rules arrived before the deadline.
    Deadline "deadline"
    /// An option is malformed.
    InvalidOption "invalid_option"
    /// No tenant has this slug, or the key does not cover it.
    UnknownTenant "unknown_tenant"
    /// The slug is malformed.
    InvalidSlug "invalid_slug"
    /// The key would travel over plain http to another machine, and
    /// [`allow_http`](super::ConnectOptions::allow_http) is not set.
    InsecureUrl "insecure_url"
}

/// The reason why a client cannot start, or a problem of a running client.
///
/// ```
/// use dezky::{Client, ClientCode, ConnectOptions};
///
/// let options = ConnectOptions::new("ftp://flags.example", "dzk_example");
/// let error = Client::connect(options).unwrap_err();
/// assert_eq!((error.code, error.path), (ClientCode::InvalidOption, "/url"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct ClientError {
    /// The stable code of the error.
    pub code: ClientCode,
    /// A JSON Pointer to the option at fault, for [`InvalidOption`](ClientCode::InvalidOption) and
    /// [`InsecureUrl`](ClientCode::InsecureUrl); `/slug` for a slug; otherwise empty.
    pub path: &'static str,
    /// One sentence for people. It never contains the key.
    pub message: String,
    /// For [`KeyRefused`](ClientCode::KeyRefused), the code in the server's response, if it had
    /// one.
    pub server_code: Option<String>,
    /// For [`Deadline`](ClientCode::Deadline), the last problem before the deadline.
    #[source]
    pub cause: Option<Box<ClientError>>,
    /// For [`BadSnapshot`](ClientCode::BadSnapshot), the error that parsing returned.
    pub snapshot_error: Option<Box<Error>>,
}

impl ClientError {
    pub(super) fn new(code: ClientCode, message: impl Into<String>) -> ClientError {
        let message = message.into();
        ClientError { code, path: "", message, server_code: None, cause: None, snapshot_error: None }
    }

    pub(super) fn option(path: &'static str, message: impl Into<String>) -> ClientError {
        ClientError { path, ..ClientError::new(ClientCode::InvalidOption, message) }
    }

    pub(super) fn slug(code: ClientCode, message: &'static str) -> ClientError {
        ClientError { path: "/slug", ..ClientError::new(code, message) }
    }

    pub(super) fn bad_snapshot(error: Error) -> ClientError {
        let message = format!("the response is not a snapshot: {error}");
        ClientError {
            snapshot_error: Some(error.into()),
            ..ClientError::new(ClientCode::BadSnapshot, message)
        }
    }

    pub(super) fn deadline(cause: Option<ClientError>) -> ClientError {
        let message = match &cause {
            None => "no rules arrived before the deadline".into(),
            Some(cause) => format!("no rules arrived before the deadline; the last problem is {cause}"),
        };
        ClientError { cause: cause.map(Box::new), ..ClientError::new(ClientCode::Deadline, message) }
    }
}
