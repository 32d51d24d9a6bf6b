//! The kinds of model documents (specification section 4), for callers that choose the kind at run
//! time.

use alloc::string::String;

use super::{Change, Flag, Partner, Subscription, Tenant, User};
use crate::Error;
use crate::json::decode_strictly;
use crate::limits::MAX_DOCUMENT_BYTES;

macro_rules! kinds {
    ($($Kind:ident $text:literal)*) => {
        /// The kind of a model document.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DocumentKind {
            $(#[doc = concat!("The documents of [`", stringify!($Kind), "`](crate::model::", stringify!($Kind), ").")] $Kind,)*
        }

        impl DocumentKind {
            /// Every kind of model document.
            pub const ALL: &'static [DocumentKind] = &[$(DocumentKind::$Kind),*];

            /// Returns the name of the kind.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(DocumentKind::$Kind => $text,)*
                }
            }

            /// Returns the kind with this name.
            pub fn parse(name: &str) -> Option<DocumentKind> {
                DocumentKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }

            /// Reads a document strictly and returns its normal form as JSON. Unknown members are
            /// rejected, because people write the documents that they validate.
            ///
            /// ```
            /// use dezky_core::Code;
            /// use dezky_core::model::DocumentKind;
            /// let partner = br#"{ "id": "p1", "slug": "Nordic" }"#;
            /// let error = DocumentKind::Partner.normalize(partner).unwrap_err();
            /// assert!(error.all().any(|each| each.code == Code::InvalidSlug));
            /// ```
            pub fn normalize(self, bytes: &[u8]) -> Result<String, Error> {
                match self {
                    $(DocumentKind::$Kind => decode_strictly::<$Kind>(bytes, MAX_DOCUMENT_BYTES)
                        .map(|document| serde_json::to_string(&document).unwrap_or_default()),)*
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
