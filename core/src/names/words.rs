//! Words of fixed lists, such as a status or a role: each declared once, with its spelling.

/// Declares the enum, its list, its spelling and its serde form.
macro_rules! words {
    ($($(#[$attribute:meta])* $Name:ident: $code:ident { $($(#[$each:meta])* $variant:ident $text:literal,)* })*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name {
            $($(#[$each])* $variant,)*
        }

        impl $Name {
            /// Every one there is.
            pub const ALL: &'static [$Name] = &[$($Name::$variant),*];

            /// As documents spell it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($Name::$variant => $text,)*
                }
            }

            /// The one spelled so.
            pub fn parse(word: &str) -> Option<$Name> {
                $Name::ALL.iter().copied().find(|each| each.as_str() == word)
            }
        }

        impl $crate::json::Decode for $Name {
            fn decode(value: $crate::json::Value<'_>) -> $Name {
                let [first, ..] = [$($Name::$variant),*];
                let place = $crate::json::decode_word(value, &[$($text),*], $crate::Code::$code);
                $Name::ALL.get(place).copied().unwrap_or(first)
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
