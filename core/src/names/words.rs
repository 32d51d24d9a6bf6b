//! Enums that documents spell as a word of a fixed list, such as a status or a role.

/// Declares such enums, with `ALL`, `as_str`, `parse`, decoding, serde and JSON Schema.
///
/// An entry gives the type's name, the code of the error for another word, and each variant with
/// its spelling: `State: UnknownState { Off "off", On "on" }`. Invalid documents decode to the
/// first variant, together with the error.
macro_rules! words {
    ($($(#[$attribute:meta])* $Name:ident: $code:ident { $($(#[$each:meta])* $variant:ident $text:literal,)* })*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name {
            $($(#[$each])* $variant,)*
        }

        impl $Name {
            /// All variants in the order of their declaration.
            pub const ALL: &'static [$Name] = &[$($Name::$variant),*];

            /// The word that documents use.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($Name::$variant => $text,)*
                }
            }

            /// Returns the variant with this spelling.
            pub fn parse(word: &str) -> Option<$Name> {
                $Name::ALL.iter().copied().find(|each| each.as_str() == word)
            }
        }

        impl $crate::json::Decode for $Name {
            fn decode(value: $crate::json::Value<'_>) -> $Name {
                let [first, ..] = [$($Name::$variant),*];
                let index = $crate::json::decode_word(value, &[$($text),*], $crate::Code::$code);
                $Name::ALL.get(index).copied().unwrap_or(first)
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        $crate::json::deserialize_by_decoding!($Name);

        #[cfg(feature = "schema")]
        $crate::schema::schemas! { $Name: |_| $crate::schema::one_of([$($text),*]); }
    )*};
}
pub(crate) use words;
