//! What a type that can be decoded is given besides: its serde form, and readers of its documents.

/// Gives a type that can be [`Decode`](super::Decode)d its serde form, by way of the same decoder.
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

/// Gives a type that people write its serde form: members that nobody knows are refused.
macro_rules! deserialize_strictly {
    ($($name:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let document = $crate::json::Document::deserialize(deserializer)?.refusing_unknown();
                $crate::json::decode_document(&document).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use deserialize_strictly;

/// Reads a struct from an object, also by way of serde: for each field how its member is read, a method of [`Value`](super::Value), and
/// the member's name.
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

/// Gives a type a strict reader of its own document.
macro_rules! documents {
    ($($Name:ident)*) => {$(
        impl $Name {
            /// Reads the document: every problem is reported with its code and path. Members that nobody knows are ignored, because a
            /// newer writer may have added them; [`DocumentKind::normalize`](crate::model::DocumentKind::normalize) refuses them.
            pub fn from_json(bytes: &[u8]) -> Result<$Name, $crate::Error> {
                $crate::json::decode_bytes(bytes, $crate::limits::MAX_DOCUMENT_BYTES)
            }
        }
    )*};
}
pub(crate) use documents;

/// Gives a type a strict reader of a list of its documents.
macro_rules! document_lists {
    ($($Listed:ident)*) => {$(
        impl $Listed {
            /// Reads a list of documents strictly; paths begin with the place in the list.
            pub fn list_from_json(bytes: &[u8]) -> Result<alloc::vec::Vec<$Listed>, $crate::Error> {
                $crate::json::decode_bytes(bytes, $crate::limits::MAX_DOCUMENT_BYTES)
            }
        }
    )*};
}
pub(crate) use document_lists;
