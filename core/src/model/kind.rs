//! The kinds of model documents, for callers that know the kind only at run time.

use alloc::string::String;

use super::{Change, Flag, Partner, Subscription, Tenant, User};
use crate::Error;
use crate::json::decode_strictly;
use crate::limits::MAX_DOCUMENT_BYTES;

macro_rules! kinds {
    ($($Kind:ident $text:literal)*) => {
        /// A kind of model document.
        ///
        /// ```
        /// assert_eq!(dezky_core::model::DocumentKind::Tenant.as_str(), "tenant");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DocumentKind {
            $(#[doc = concat!("[`", stringify!($Kind), "`](crate::model::", stringify!($Kind), ")")] $Kind,)*
        }

        impl DocumentKind {
            /// Every kind.
            ///
            /// ```
            /// assert_eq!(dezky_core::model::DocumentKind::ALL.len(), 6);
            /// ```
            pub const ALL: &'static [DocumentKind] = &[$(DocumentKind::$Kind),*];

            /// Its name.
            ///
            /// ```
            /// assert_eq!(dezky_core::model::DocumentKind::Flag.as_str(), "flag");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(DocumentKind::$Kind => $text,)*
                }
            }

            /// The kind of this name.
            ///
            /// ```
            /// assert_eq!(dezky_core::model::DocumentKind::parse("invoice"), None);
            /// ```
            pub fn parse(name: &str) -> Option<DocumentKind> {
                DocumentKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }

            /// Reads a document strictly and writes it back as JSON, its defaults filled in. People write what they validate, so members
            /// that nobody knows are refused.
            ///
            /// ```
            /// use dezky_core::Code;
            /// use dezky_core::model::DocumentKind;
            /// let error = DocumentKind::Partner.normalize(br#"{ "id": "p1", "slug": "Nordic" }"#).unwrap_err();
            /// assert!(error.all().any(|each| each.code == Code::InvalidSlug));
            /// ```
            pub fn normalize(self, bytes: &[u8]) -> Result<String, Error> {
                match self {
                    $(DocumentKind::$Kind => decode_strictly::<$Kind>(bytes, MAX_DOCUMENT_BYTES).map(|document| serde_json::to_string(&document).unwrap_or_default()),)*
                }
            }
        }
    };
}

kinds! {
    Tenant "tenant"
    Partner "partner"
    User "user"
    Subscription "subscription"
    Flag "flag"
    Change "change"
}
