//! The only list of error codes, each with its message.

/// Declares [`Code`]: each variant with its stable text and its message.
///
/// The codes have three groups:
/// - `evaluation`: problems that evaluating flags and deciding access can find,
/// - `model`: all other problems without a feature,
/// - `token`: problems of tokens and key sets, with the feature `token`.
macro_rules! codes {
    (
        evaluation { $($evaluation:ident $evaluation_text:literal $evaluation_message:literal)* }
        model { $($model:ident $model_text:literal $model_message:literal)* }
        token { $($token:ident $token_text:literal $token_message:literal)* }
    ) => {
        /// The stable code of a problem. The text of a code never changes once released; its
        /// message may.
        ///
        /// ```
        /// assert_eq!(dezky_core::Code::InvalidSlug.as_str(), "invalid_slug");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $evaluation_message] $evaluation,)*
            $(#[doc = $model_message] $model,)*
            $(#[cfg(feature = "token")] #[doc = $token_message] $token,)*
        }

        impl Code {
            /// All codes, in the order of their declaration.
            pub const ALL: &'static [Code] = &[
                $(Code::$evaluation,)*
                $(Code::$model,)*
                $(#[cfg(feature = "token")] Code::$token,)*
            ];

            /// The stable text, which every SDK and the server use.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$evaluation => $evaluation_text,)*
                    $(Code::$model => unless_evaluation_only($model_text),)*
                    $(#[cfg(feature = "token")] Code::$token => $token_text,)*
                }
            }

            /// One sentence for people, which repeats nothing of the input.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Code::$evaluation => $evaluation_message,)*
                    $(Code::$model => unless_evaluation_only($model_message),)*
                    $(#[cfg(feature = "token")] Code::$token => $token_message,)*
                }
            }
        }
    };
}

/// Omits a string from the WASM module that only evaluates, which never reports these codes.
const fn unless_evaluation_only(text: &'static str) -> &'static str {
    if cfg!(dezky_evaluation_only) { "" } else { text }
}

codes! {
    evaluation {
        DocumentTooLarge "document_too_large" "the document is too large"
        InvalidUtf8 "invalid_utf8" "the document is not UTF-8"
        InvalidJson "invalid_json" "the document is not JSON"
        TooDeep "too_deep" "the document is nested too deeply"
        DuplicateMember "duplicate_member" "this member appears twice in its object"
        Missing "missing" "this member is required"
        UnknownField "unknown_field" "this member is unknown"
        WrongType "wrong_type" "this value has the wrong JSON type"
        TooManyItems "too_many_items" "this list is too long"
        UnknownFormat "unknown_format" "only snapshot format 1 is supported"
        InvalidRevision "invalid_revision" "a revision is a whole number from 0 to 2^53-1"
        InvalidFlagKey "invalid_flag_key" "a flag key is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
        InvalidPlan "invalid_plan" "a plan key is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
        InvalidEnvironment "invalid_environment" "an environment is 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
        InvalidSlug "invalid_slug" "a slug is 1 to 63 of a-z, 0-9 and -, a letter or digit first and last"
        InvalidId "invalid_id" "an id is 1 to 64 of A-Z, a-z, 0-9, _ and -"
        InvalidPct "invalid_pct" "a percentage is a number from 0 to 100, with at most two decimals"
        PctPrecision "pct_precision" "a percentage has at most two decimals"
        InvalidText "invalid_text" "this string is empty, too long, or contains control characters"
        UnknownState "unknown_state" "a flag's state is off, on, targeted or rollout"
        UnknownStatus "unknown_status" "this status is not allowed here"
        UnknownRole "unknown_role" "a role is owner, admin or member"
        UnknownAction "unknown_action" "this action does not exist"
        UnknownKeyKind "unknown_key_kind" "a machine key is of kind server or tenant"
        DuplicateFlag "duplicate_flag" "another flag has this key"
        DuplicateId "duplicate_id" "another entry has this id"
        DuplicateValue "duplicate_value" "this value is already in the list"
    }
    model {
        InvalidNumber "invalid_number" "this number is not whole or is out of range"
        InvalidEmail "invalid_email" "this is not an e-mail address"
        InvalidDomain "invalid_domain" "this is not a domain name"
        InvalidCurrency "invalid_currency" "a currency is three letters"
        InvalidTime "invalid_time" "a time is written as in RFC 3339, in the years 0001 to 9999"
        InvalidHash "invalid_hash" "a hash is 64 lower-case hex digits"
        InvalidPeriod "invalid_period" "a period ends before it starts"
        UnknownInterval "unknown_interval" "an interval is day, week, month or year"
        UnknownEdit "unknown_edit" "an edit is putFlag, patchFlag, deleteFlag or moveTenant"
        DuplicateSlug "duplicate_slug" "another entry has this slug"
        UnknownFlag "unknown_flag" "no flag has this key"
        UnknownTenant "unknown_tenant" "no registered tenant has this id"
        UnknownPartner "unknown_partner" "no partner has this id or slug"
        EmptyEdit "empty_edit" "this edit changes nothing"
        UnknownRevision "unknown_revision" "the history does not contain this revision"
        StaleRevision "stale_revision" "the revision of a change must be above the last one in the history"
        InvalidTransition "invalid_transition" "the current status does not allow this step"
        ChainRevision "chain_revision" "the revision of this change does not follow that of the previous change"
        ChainLink "chain_link" "this change does not contain the hash of the previous change"
        ChainHash "chain_hash" "the hash of this change does not match its content"
        MrrOverflow "mrr_overflow" "the sum is too large to be represented exactly"
    }
    token {
        TokenTooLarge "token_too_large" "a token has at most 16 KiB"
        TokenJsonForm "token_json_form" "only the compact form of a token is accepted, not the JSON form"
        TokenWhitespace "token_whitespace" "a token contains no white space"
        TokenSegments "token_segments" "a token has three segments"
        TokenPadding "token_padding" "a segment is base64url without padding"
        TokenBase64 "token_base64" "a segment is not base64url"
        TokenBase64Bits "token_base64_bits" "the last character of this segment has unused bits set"
        TokenSignatureMissing "token_signature_missing" "the token is not signed"
        TokenUtf8 "token_utf8" "this segment is not UTF-8"
        TokenJson "token_json" "this segment is not JSON"
        TokenDepth "token_depth" "this segment is nested too deeply"
        TokenDuplicateMember "token_duplicate_member" "this member appears twice in its object"
        TokenNotObject "token_not_object" "this segment is not a JSON object"
        TokenAlgForm "token_alg_form" "a token names its signature algorithm as a string"
        TokenAlgNone "token_alg_none" "a token without a signature is never accepted"
        TokenAlgSymmetric "token_alg_symmetric" "a token signed with a shared secret is never accepted"
        TokenAlgRefused "token_alg_refused" "only RS256, PS256, ES256 and EdDSA with Ed25519 are accepted"
        TokenAlgKeyType "token_alg_key_type" "the key is of another type than the algorithm needs"
        TokenAlgKeyAlg "token_alg_key_alg" "the key is for another algorithm"
        TokenCrit "token_crit" "critical header extensions are not supported"
        TokenB64 "token_b64" "the header parameter b64 is not supported"
        TokenZip "token_zip" "a compressed token is not accepted"
        TokenEnc "token_enc" "an encrypted token is not accepted"
        TokenCty "token_cty" "a token has no content type; nested tokens are not accepted"
        TokenTyp "token_typ" "this is not the type of an access token"
        TokenKidForm "token_kid_form" "a key id is a string of 1 to 255 characters without control characters"
        TokenKidUnknown "token_kid_unknown" "the key set has no usable key with this id"
        TokenKidMissing "token_kid_missing" "the token names no key, and several keys match"
        TokenNoKey "token_no_key" "the key set has no key for this algorithm"
        TokenSignatureLength "token_signature_length" "the signature has the wrong length for its algorithm and key"
        TokenSignatureZero "token_signature_zero" "one of the two numbers of the signature is zero"
        TokenSignature "token_signature" "the signature does not match this token and this key"
        TokenIssuerMissing "token_issuer_missing" "the issuer is required"
        TokenIssuerForm "token_issuer_form" "the issuer is a string that is not empty"
        TokenIssuerUnknown "token_issuer_unknown" "the issuer is not one of the accepted issuers, compared exactly"
        TokenAudienceMissing "token_audience_missing" "the audience is required"
        TokenAudienceForm "token_audience_form" "the audience is a string or a list of strings, and is not empty"
        TokenAudienceOther "token_audience_other" "the token is for another audience"
        TokenExpiryMissing "token_expiry_missing" "the expiry is required"
        TokenExpiryForm "token_expiry_form" "the expiry is whole seconds since 1970, written as digits"
        TokenExpired "token_expired" "the token has expired"
        TokenLifetime "token_lifetime" "the time from issue to expiry is not above zero, or is too long"
        TokenNotBeforeForm "token_not_before_form" "the start is whole seconds since 1970, written as digits"
        TokenNotYetValid "token_not_yet_valid" "the token is not valid yet"
        TokenIssuedAtMissing "token_issued_at_missing" "the time of issue is required"
        TokenIssuedAtForm "token_issued_at_form" "the time of issue is whole seconds since 1970, written as digits"
        TokenIssuedInFuture "token_issued_in_future" "the time of issue is in the future"
        TokenSubjectMissing "token_subject_missing" "the subject is required"
        TokenSubjectForm "token_subject_form" "the subject is a string of 1 to 255 characters without control characters"
        TokenPartyForm "token_party_form" "the authorized party is a string that is not empty"
        TokenPartyOther "token_party_other" "the token was issued to another client"
        TokenNotAccess "token_not_access" "this is an ID token or another kind of token, not an access token"
        TokenBound "token_bound" "the token is bound to a key, and its possession cannot be verified here"
        TokenEmailForm "token_email_form" "the e-mail claims are an address and a boolean"
        TokenNameForm "token_name_form" "the name is a string of at most 2,000 characters"
        TokenGroupsForm "token_groups_form" "the groups are a list of strings of 1 to 255 characters"
        TokenPolicyIssuers "token_policy_issuers" "a policy has at least one issuer, each of them not empty and without control characters"
        TokenPolicyAudiences "token_policy_audiences" "a policy has at least one audience, each of them not empty and without control characters"
        TokenPolicyLeeway "token_policy_leeway" "the leeway is 0 to 30 seconds"
        TokenPolicyLifetime "token_policy_lifetime" "the longest lifetime is 1 second to 31 days"
        TokenPolicyRule "token_policy_rule" "the rule is generic or authentik"
        KeySetTooLarge "key_set_too_large" "a key set has at most 256 KiB"
        KeySetUtf8 "key_set_utf8" "the key set is not UTF-8"
        KeySetJson "key_set_json" "the key set is not JSON"
        KeySetDepth "key_set_depth" "the key set is nested too deeply"
        KeySetDuplicateMember "key_set_duplicate_member" "this member appears twice in its object"
        KeySetForm "key_set_form" "a key set is an object with a list of keys"
        KeySetTooMany "key_set_too_many" "a key set has at most 100 keys"
        KeySetSymmetric "key_set_symmetric" "the public key set contains a shared secret"
        KeySetPrivate "key_set_private" "the public key set contains a part of a private key"
        KeySetDuplicateId "key_set_duplicate_id" "another key has this id"
        KeySetEmpty "key_set_empty" "no key of the set is usable"
        KeyForm "key_form" "a key is an object"
        KeyId "key_id" "a key id is a string of 1 to 255 characters without control characters"
        KeyUse "key_use" "the key is not for signatures"
        KeyOperations "key_operations" "the key is not for verifying"
        KeyType "key_type" "only RSA, EC and OKP are accepted key types"
        KeyCurve "key_curve" "only P-256 and Ed25519 are accepted curves"
        KeyAlg "key_alg" "the key is for an algorithm that is not accepted"
        KeyAlgMismatch "key_alg_mismatch" "the key is for an algorithm that does not fit its type"
        KeyParameter "key_parameter" "this part of the key is required, as base64url in its shortest form"
        KeyRsaShort "key_rsa_short" "an RSA key has at least 2048 bits"
        KeyRsaLong "key_rsa_long" "an RSA key has at most 8192 bits"
        KeyRsaExponent "key_rsa_exponent" "an RSA exponent is odd, above 65536, and of 32 bits at most"
        KeyRsaModulus "key_rsa_modulus" "the RSA modulus has a small factor"
        KeyRsaRoca "key_rsa_roca" "the RSA key was made by a faulty generator (ROCA)"
        KeyCoordinate "key_coordinate" "a coordinate has exactly 32 bytes"
        KeyPoint "key_point" "this point is not on its curve, or is one of its weak points"
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::prelude::v1::*;

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
