//! Names and other small values that are well formed by construction.

use alloc::{boxed::Box, string::String};

mod forms;
mod percent;
mod prose;
#[cfg(feature = "schema")]
mod schema;
mod words;

pub use crate::text::nearest_name;
pub use percent::Percent;

pub(crate) use forms::{is_id, is_key, is_slug};
pub(crate) use words::words;

use crate::json::{Decode, Value, decode_text, deserialize_by_decoding};
use crate::{Code, Error};

/// The form of a type of name.
enum Form {
    /// A valid name is stored unchanged.
    Exact(fn(&str) -> bool),
    /// A valid name is converted to its normal form.
    Normalized(fn(&str) -> Option<Box<str>>),
}

use Form::{Exact, Normalized};

impl Form {
    fn read(self, text: &str) -> Option<Box<str>> {
        match self {
            Exact(is_valid) => forms::copy_if(is_valid(text), text),
            Normalized(normalize) => normalize(text),
        }
    }

    #[inline(always)]
    fn decode(self, value: Value<'_>, code: Code) -> Box<str> {
        match self {
            Exact(is_valid) => value.checked(is_valid, code).raw().into(),
            Normalized(normalize) => decode_text(value, normalize, code),
        }
    }
}

/// Declares types of names. Each is a string that only its constructor and decoder create.
///
/// An entry gives the type's name, the code of the error for a malformed name, the [`Form`], and
/// for the JSON Schema the maximum length and the pattern:
/// `FlagKey: InvalidFlagKey, Exact(forms::is_key), 64 KEY;`
macro_rules! names {
    ($($(#[$attribute:meta])* $Name:ident: $code:ident, $form:expr, $longest:literal $pattern:ident;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(Box<str>);

        impl $Name {
            /// Validates a string and converts it to its normal form.
            pub fn new(text: &str) -> Result<$Name, Error> {
                match $form.read(text) {
                    Some(text) => Ok($Name(text)),
                    None => Err(Error::new(Code::$code, "")),
                }
            }

            /// The name in its normal form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Decode for $Name {
            fn decode(value: Value<'_>) -> $Name {
                $Name($form.decode(value, Code::$code))
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl core::str::FromStr for $Name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $Name::new(text)
            }
        }

        impl AsRef<str> for $Name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl core::borrow::Borrow<str> for $Name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        deserialize_by_decoding!($Name);

        #[cfg(feature = "schema")]
        crate::schema::schemas! { $Name: |_| crate::schema::text($longest, crate::schema::patterns::$pattern); }
    )*};
}

names! {
    /// A flag's key: `[a-z0-9][a-z0-9_-]{0,63}`.
    ///
    /// ```
    /// assert!(dezky_core::names::FlagKey::new("jmap_native_v2").is_ok());
    /// assert!(dezky_core::names::FlagKey::new("JMAP").is_err());
    /// ```
    FlagKey: InvalidFlagKey, Exact(forms::is_key), 64 KEY;
    /// A plan's key: `[a-z0-9][a-z0-9_-]{0,63}`.
    PlanKey: InvalidPlan, Exact(forms::is_key), 64 KEY;
    /// An environment's name: `[a-z0-9][a-z0-9_-]{0,63}`.
    Environment: InvalidEnvironment, Exact(forms::is_key), 64 KEY;
    /// A tenant's or partner's slug: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, fixed once created.
    Slug: InvalidSlug, Exact(forms::is_slug), 63 SLUG;
    /// An entity's id: 1 to 64 characters of `[A-Za-z0-9_-]`.
    Id: InvalidId, Exact(forms::is_id), 64 ID;
    /// An e-mail address, lower-cased.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::Email::new("Ada@Example.org")?.as_str(), "ada@example.org");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    Email: InvalidEmail, Normalized(forms::email), 254 EMAIL;
    /// A domain name of two labels or more, lower-cased.
    Domain: InvalidDomain, Normalized(forms::domain), 253 DOMAIN;
    /// A currency code of three letters, upper-cased.
    Currency: InvalidCurrency, Normalized(forms::currency), 3 CURRENCY;
    /// One line of free text: 1 to 255 characters, not only spaces.
    Label: InvalidText, Normalized(prose::label), 255 LABEL;
    /// Free text of any number of lines: 0 to 2,000 characters.
    #[derive(Default)]
    Prose: InvalidText, Normalized(prose::prose), 2_000 PROSE;
    /// A SHA-256 hash as 64 lower-case hex digits.
    Digest: InvalidHash, Exact(forms::is_digest), 64 DIGEST;
}

impl Digest {
    /// Converts the digest to its hex digits.
    pub fn into_string(self) -> String {
        self.0.into()
    }

    /// The digest that the first change of a hash chain refers to: 64 zeros.
    pub(crate) fn zero() -> Digest {
        Digest("0".repeat(64).into())
    }

    /// Creates a digest from 64 hex digits that the caller has computed.
    pub(crate) fn from_hex(text: &str) -> Digest {
        Digest(text.into())
    }
}

/// Compares a digest with its hex digits.
impl PartialEq<str> for Digest {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Digest {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
