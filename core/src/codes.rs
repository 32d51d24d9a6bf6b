//! Every error code there is, with the sentence that explains it. The only list of them.

/// Declares the enum, its stable text and its sentence in one place.
macro_rules! codes {
    ($($variant:ident $text:literal $message:literal)*) => {
        /// What is wrong, as a stable code. Its text never changes once released; its sentence may.
        ///
        /// ```
        /// assert_eq!(dezky_core::Code::InvalidSlug.as_str(), "invalid_slug");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $message] $variant,)*
        }

        impl Code {
            /// Every code, in the order of this page.
            ///
            /// ```
            /// assert!(dezky_core::Code::ALL.contains(&dezky_core::Code::Missing));
            /// ```
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable text, as every SDK and the server hand it out.
            ///
            /// ```
            /// assert_eq!(dezky_core::Code::TooDeep.as_str(), "too_deep");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)*
                }
            }

            /// One sentence for people. Nothing of the input is repeated in it.
            ///
            /// ```
            /// assert_eq!(dezky_core::Code::Missing.message(), "this member is needed");
            /// ```
            pub const fn message(self) -> &'static str {
                match self {
                    $(Code::$variant => $message,)*
                }
            }
        }
    };
}

codes! {
    DocumentTooLarge "document_too_large" "the document is larger than is accepted"
    InvalidUtf8 "invalid_utf8" "the document is not UTF-8"
    InvalidJson "invalid_json" "the document is not JSON"
    TooDeep "too_deep" "the document is nested too deeply"
    DuplicateMember "duplicate_member" "this member appears twice in its object"
    Missing "missing" "this member is needed"
    WrongType "wrong_type" "this value is of another JSON type than is needed here"
    TooManyItems "too_many_items" "this list is longer than is accepted"
    UnknownFormat "unknown_format" "only snapshot format 1 is understood"
    InvalidRevision "invalid_revision" "a revision is a whole number from 0 to 2^53-1"
    InvalidNumber "invalid_number" "this number is not whole or not in its range"
    InvalidFlagKey "invalid_flag_key" "a flag key is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
    InvalidPlan "invalid_plan" "a plan key is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
    InvalidEnvironment "invalid_environment" "an environment is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
    InvalidSlug "invalid_slug" "a slug is 1 to 63 of a-z, 0-9 and -, a letter or digit first and last"
    InvalidId "invalid_id" "an id is 1 to 64 of A-Z, a-z, 0-9, _ and -"
    InvalidPct "invalid_pct" "a percentage is a number from 0 to 100"
    PctPrecision "pct_precision" "a percentage has at most two decimals"
    InvalidEmail "invalid_email" "this is not an e-mail address"
    InvalidDomain "invalid_domain" "this is not a domain name"
    InvalidCurrency "invalid_currency" "a currency is three letters"
    InvalidTime "invalid_time" "a time is written as in RFC 3339, in the years 0001 to 9999"
    InvalidText "invalid_text" "this text is empty, too long, or holds control characters"
    InvalidHash "invalid_hash" "a hash is 64 lower-case hex digits"
    InvalidPeriod "invalid_period" "a period ends before it starts"
    UnknownState "unknown_state" "a flag's state is off, on, targeted or rollout"
    UnknownStatus "unknown_status" "this status is not one of those possible here"
    UnknownRole "unknown_role" "a role is owner, admin or member"
    UnknownInterval "unknown_interval" "an interval is day, week, month or year"
    UnknownAction "unknown_action" "there is no such action"
    UnknownKeyKind "unknown_key_kind" "a machine key is of kind server or tenant"
    UnknownEdit "unknown_edit" "an edit is putFlag, deleteFlag or moveTenant"
    DuplicateFlag "duplicate_flag" "another flag has this key"
    DuplicateId "duplicate_id" "another entry has this id"
    DuplicateSlug "duplicate_slug" "another entry has this slug"
    DuplicateValue "duplicate_value" "this value is listed already"
    UnknownFlag "unknown_flag" "there is no flag with this key"
    UnknownTenant "unknown_tenant" "no registered tenant has this id"
    UnknownPartner "unknown_partner" "no partner has this id or slug"
    EmptyEdit "empty_edit" "this edit changes nothing"
    UnknownRevision "unknown_revision" "the history does not reach this revision"
    StaleRevision "stale_revision" "a change needs a revision above the last one in the history"
    InvalidTransition "invalid_transition" "the present status does not allow this step"
    ChainRevision "chain_revision" "this change's revision does not follow the one before"
    ChainLink "chain_link" "this change does not carry the hash of the one before"
    ChainHash "chain_hash" "this change's hash is not that of its content"
    MrrOverflow "mrr_overflow" "the sum is beyond what can be held exactly"
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn texts_are_distinct_snake_case_and_messages_are_sentences() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.iter().all(|text| text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))));
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.message().len() > 10));
    }
}
