//! Names and other small values that exist only if they are well formed.

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

/// What texts of a type look like.
enum Form {
    /// They are kept as they are where this holds.
    Kept(fn(&str) -> bool),
    /// They have one spelling, where they have any.
    Normalised(fn(&str) -> Option<Box<str>>),
}

use Form::{Kept, Normalised};

impl Form {
    fn read(self, text: &str) -> Option<Box<str>> {
        match self {
            Kept(is_good) => forms::same_if(is_good(text), text),
            Normalised(normalise) => normalise(text),
        }
    }

    #[inline(always)]
    fn decode(self, value: Value<'_>, otherwise: Code) -> Box<str> {
        match self {
            Kept(is_good) => value.checked(is_good, otherwise).raw().into(),
            Normalised(normalise) => decode_text(value, normalise, otherwise),
        }
    }
}

/// Declares a text type from its form; for its schema, how many characters it has at most and their pattern.
macro_rules! names {
    ($($(#[$attribute:meta])* $Name:ident: $code:ident, $form:expr, $longest:literal $pattern:ident;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(Box<str>);

        impl $Name {
            /// Reads the text, or says why it cannot be one.
            pub fn new(text: &str) -> Result<$Name, Error> {
                match $form.read(text) {
                    Some(text) => Ok($Name(text)),
                    None => Err(Error::new(Code::$code, "")),
                }
            }

            /// The text in its one normal form.
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
    FlagKey: InvalidFlagKey, Kept(forms::is_key), 64 KEY;
    /// A plan's key: `[a-z0-9][a-z0-9_-]{0,63}`.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::PlanKey::new("business")?.as_str(), "business");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    PlanKey: InvalidPlan, Kept(forms::is_key), 64 KEY;
    /// An environment's name: `[a-z0-9][a-z0-9_-]{0,63}`.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::Environment::new("production")?.as_str(), "production");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    Environment: InvalidEnvironment, Kept(forms::is_key), 64 KEY;
    /// A tenant's or partner's slug: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, fixed once created.
    ///
    /// ```
    /// assert!(dezky_core::names::Slug::new("acme-gmbh").is_ok());
    /// assert!(dezky_core::names::Slug::new("acme-").is_err());
    /// ```
    Slug: InvalidSlug, Kept(forms::is_slug), 63 SLUG;
    /// Any entity's id: 1 to 64 of `[A-Za-z0-9_-]`.
    ///
    /// ```
    /// assert!(dezky_core::names::Id::new("65f1c0ffee65f1c0ffee65f1").is_ok());
    /// assert!(dezky_core::names::Id::new("t:1").is_err());
    /// ```
    Id: InvalidId, Kept(forms::is_id), 64 ID;
    /// An e-mail address, lower-cased.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::Email::new("Ada@Example.org")?.as_str(), "ada@example.org");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    Email: InvalidEmail, Normalised(forms::email), 254 EMAIL;
    /// A domain name of two labels or more, lower-cased.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::Domain::new("Mail.Example.org")?.as_str(), "mail.example.org");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    Domain: InvalidDomain, Normalised(forms::domain), 253 DOMAIN;
    /// A currency's three letters, upper-cased.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::Currency::new("eur")?.as_str(), "EUR");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    Currency: InvalidCurrency, Normalised(forms::currency), 3 CURRENCY;
    /// One line that people read: 1 to 255 characters, not spaces alone.
    ///
    /// ```
    /// assert!(dezky_core::names::Label::new("Acme GmbH").is_ok());
    /// assert!(dezky_core::names::Label::new("   ").is_err());
    /// ```
    Label: InvalidText, Normalised(prose::label), 255 LABEL;
    /// Any number of lines, also none: 0 to 2,000 characters.
    ///
    /// ```
    /// assert_eq!(dezky_core::names::Prose::new("two\nlines")?.as_str(), "two\nlines");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    #[derive(Default)]
    Prose: InvalidText, Normalised(prose::prose), 2_000 PROSE;
    /// A SHA-256 as 64 lower-case hex digits.
    ///
    /// ```
    /// assert!(dezky_core::names::Digest::new(&"0".repeat(64)).is_ok());
    /// ```
    Digest: InvalidHash, Kept(forms::is_digest), 64 DIGEST;
}

impl Digest {
    /// The text itself.
    ///
    /// ```
    /// # use dezky_core::names::Digest;
    /// let text: String = Digest::new(&"0".repeat(64))?.into_string();
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn into_string(self) -> String {
        self.0.into()
    }

    /// The hash before a chain's first: 64 zeros.
    pub(crate) fn zero() -> Digest {
        Digest("0".repeat(64).into())
    }

    /// Of 64 hex digits that were just made.
    pub(crate) fn from_hex(text: &str) -> Digest {
        Digest(text.into())
    }
}

/// So that a digest can be compared with the text it is written as.
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
