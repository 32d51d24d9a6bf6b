//! What goes wrong between a client and its server, under codes that are the same in every SDK.

use dezky_core::Error;

macro_rules! client_codes {
    ($($(#[$about:meta])* $Variant:ident $text:literal)*) => {
        /// What went wrong, as a stable code. Its text never changes once released, and is the same in every SDK.
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
            /// Every code.
            ///
            /// ```
            /// assert!(dezky::ClientCode::ALL.contains(&dezky::ClientCode::Deadline));
            /// ```
            pub const ALL: &'static [ClientCode] = &[$(ClientCode::$Variant,)*];

            /// The stable text.
            ///
            /// ```
            /// assert_eq!(dezky::ClientCode::RateLimited.as_str(), "rate_limited");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ClientCode::$Variant => $text,)*
                }
            }
        }
    };
}

client_codes! {
    /// The server refuses the key: it is wrong, revoked, or not for this. The client goes on asking, ever more rarely.
    KeyRefused "key_refused"
    /// No answer: no connection, no name, no trust in the certificate, a reset, or nothing in time.
    Unreachable "unreachable"
    /// The server asks for fewer requests.
    RateLimited "rate_limited"
    /// An answer that a client has no use for: a redirect, a failure of the server, something that is no Dezky.
    UnexpectedStatus "unexpected_status"
    /// What was sent is no snapshot.
    BadSnapshot "bad_snapshot"
    /// What was sent is not what the server says that it is.
    DigestMismatch "digest_mismatch"
    /// The server has gone back to a revision below that of the rules at hand.
    OlderRevision "older_revision"
    /// The last-known-good file cannot be read or written.
    FileUnusable "file_unusable"
    /// There were no rules in time.
    Deadline "deadline"
    /// An option is malformed.
    InvalidOption "invalid_option"
    /// No tenant has this slug, or none that the key covers.
    UnknownTenant "unknown_tenant"
    /// A slug is malformed.
    InvalidSlug "invalid_slug"
    /// The key would travel over plain http to another machine, and [`allow_http`](super::ConnectOptions::allow_http) was not given.
    InsecureUrl "insecure_url"
}

/// Why a client cannot start, or what hinders one that runs.
///
/// ```
/// use dezky::{Client, ClientCode, ConnectOptions};
/// let error = Client::connect(ConnectOptions::new("ftp://flags.example", "dzk_example")).unwrap_err();
/// assert_eq!((error.code, error.path), (ClientCode::InvalidOption, "/url"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct ClientError {
    /// The stable code.
    pub code: ClientCode,
    /// The option at fault as a JSON Pointer, with [`InvalidOption`](ClientCode::InvalidOption) and
    /// [`InsecureUrl`](ClientCode::InsecureUrl); `/slug` with a slug; else empty.
    pub path: &'static str,
    /// One sentence for people. It never holds the key.
    pub message: String,
    /// With [`KeyRefused`](ClientCode::KeyRefused), the code in the server's answer, if it had one.
    pub server_code: Option<String>,
    /// With [`Deadline`](ClientCode::Deadline), the last problem before it.
    #[source]
    pub cause: Option<Box<ClientError>>,
    /// With [`BadSnapshot`](ClientCode::BadSnapshot), what is wrong with it.
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
        let message = format!("what was sent is no snapshot: {error}");
        ClientError {
            snapshot_error: Some(error.into()),
            ..ClientError::new(ClientCode::BadSnapshot, message)
        }
    }

    pub(super) fn deadline(cause: Option<ClientError>) -> ClientError {
        let message = match &cause {
            None => "there were no rules in time".into(),
            Some(cause) => format!("there were no rules in time; last, {cause}"),
        };
        ClientError { cause: cause.map(Box::new), ..ClientError::new(ClientCode::Deadline, message) }
    }
}
