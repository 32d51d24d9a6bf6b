//! Macros that derive `serde::Deserialize` and document readers from a type's
//! [`Decode`](super::Decode) implementation.

/// Implements `serde::Deserialize` by [`Decode`](super::Decode).
macro_rules! deserialize_by_decoding {
    ($($name:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let document = $crate::json::Document::deserialize(deserializer)?;
                $crate::json::decode_document(&document).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use deserialize_by_decoding;

/// Implements `serde::Deserialize` for documents that people write: unknown members are rejected.
macro_rules! deserialize_strictly {
    ($($name:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let document = $crate::json::Document::deserialize(deserializer)?.rejecting_unknown();
                $crate::json::decode_document(&document).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use deserialize_strictly;

/// Implements decoding of a struct from an object, and `serde::Deserialize` by it.
///
/// Each field names a method of [`Value`](super::Value) and its arguments, the first of which is
/// the member's name: `pct: or_default("pct")`.
macro_rules! decode_objects {
    ($($Name:ident { $($field:ident: $read:ident($($argument:expr),*),)* })*) => {$(
        impl $crate::json::Decode for $Name {
            fn decode(value: $crate::json::Value<'_>) -> $Name {
                let object = value.object();
                $Name { $($field: object.$read($($argument),*),)* }
            }
        }

        $crate::json::deserialize_by_decoding!($Name);
    )*};
}
pub(crate) use decode_objects;

/// Adds `from_json` to types that have a document of their own.
macro_rules! documents {
    ($($Name:ident)*) => {$(
        impl $Name {
            /// Reads a document and reports every problem with its code and path.
            ///
            /// Unknown members are ignored, because a newer writer may have added them.
            /// [`DocumentKind::normalize`](crate::model::DocumentKind::normalize) rejects them.
            pub fn from_json(bytes: &[u8]) -> Result<$Name, $crate::Error> {
                $crate::json::decode_bytes(bytes, $crate::limits::MAX_DOCUMENT_BYTES)
            }
        }
    )*};
}
pub(crate) use documents;

/// Adds `list_from_json` to types whose documents are read in lists.
macro_rules! document_lists {
    ($($Listed:ident)*) => {$(
        impl $Listed {
            /// Reads a list of documents. Error paths begin with the index in the list.
            pub fn list_from_json(bytes: &[u8]) -> Result<alloc::vec::Vec<$Listed>, $crate::Error> {
                $crate::json::decode_bytes(bytes, $crate::limits::MAX_DOCUMENT_BYTES)
            }
        }
    )*};
}
pub(crate) use document_lists;
