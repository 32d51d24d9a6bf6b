//! The answer: allowed or denied, always with a reason.

use alloc::string::String;

use crate::text::push_member;
use serde::{Serialize, Serializer};

/// What the operator guard says, to the letter, where it refuses with [`AccessReason::DeniedOperatorAudience`].
///
/// ```
/// assert_eq!(dezky_core::access::OPERATOR_GUARD_MESSAGE, "This endpoint requires an operator-scoped token");
/// ```
pub const OPERATOR_GUARD_MESSAGE: &str = AccessReason::DeniedOperatorAudience.message();

macro_rules! reasons {
    ($($variant:ident $text:literal $allowed:literal $message:literal;)*) => {
        /// Why something is allowed or denied.
        ///
        /// ```
        /// use dezky_core::access::AccessReason;
        /// assert_eq!(AccessReason::DeniedRole.as_str(), "denied_role");
        /// assert!(!AccessReason::DeniedRole.allows());
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AccessReason {
            $(#[doc = $message] $variant,)*
        }

        impl AccessReason {
            /// Every reason.
            ///
            /// ```
            /// assert_eq!(dezky_core::access::AccessReason::ALL.len(), 17);
            /// ```
            pub const ALL: &'static [AccessReason] = &[$(AccessReason::$variant),*];

            /// The stable code.
            ///
            /// ```
            /// assert_eq!(dezky_core::access::AccessReason::AllowedKey.as_str(), "allowed_key");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(AccessReason::$variant => $text,)*
                }
            }

            /// Whether it is a reason for yes.
            ///
            /// ```
            /// assert!(dezky_core::access::AccessReason::AllowedSelf.allows());
            /// ```
            pub const fn allows(self) -> bool {
                match self {
                    $(AccessReason::$variant => $allowed,)*
                }
            }

            /// One sentence for people.
            ///
            /// ```
            /// use dezky_core::access::{AccessReason, OPERATOR_GUARD_MESSAGE};
            /// assert_eq!(AccessReason::DeniedOperatorAudience.message(), OPERATOR_GUARD_MESSAGE);
            /// ```
            pub const fn message(self) -> &'static str {
                match self {
                    $(AccessReason::$variant => $message,)*
                }
            }
        }
    };
}

reasons! {
    AllowedOperator "allowed_operator" true "Operators may do this";
    AllowedPlatformAdmin "allowed_platform_admin" true "Platform admins may do this";
    AllowedMember "allowed_member" true "Members may do this";
    AllowedTenantAdmin "allowed_tenant_admin" true "Owners and admins of the tenant may do this";
    AllowedSelf "allowed_self" true "Everybody may do this for themselves";
    AllowedKey "allowed_key" true "The machine key covers this";
    DeniedNoUser "denied_no_user" false "There is no user record for this token";
    DeniedInactiveUser "denied_inactive_user" false "This user is not active";
    DeniedOperatorAudience "denied_operator_audience" false "This endpoint requires an operator-scoped token";
    DeniedNotPlatformAdmin "denied_not_platform_admin" false "Only platform admins may do this";
    DeniedNotMember "denied_not_member" false "Only members of the tenant may do this";
    DeniedRole "denied_role" false "Only owners and admins of the tenant may do this";
    DeniedField "denied_field" false "Only operators may change this field";
    DeniedTenantSuspended "denied_tenant_suspended" false "The tenant is suspended: nothing of it may be changed";
    DeniedTenantTerminated "denied_tenant_terminated" false "The tenant is terminated";
    DeniedLastAdmin "denied_last_admin" false "The last active platform admin cannot be removed";
    DeniedKeyScope "denied_key_scope" false "The machine key does not cover this";
}

impl Serialize for AccessReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The answer to "may they?": `{ allowed, reason }`.
///
/// ```
/// use dezky_core::access::{AccessReason, Decision};
/// let decision = Decision::from(AccessReason::DeniedRole);
/// assert!(!decision.allowed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// Whether; always what the reason says.
    pub allowed: bool,
    /// Why.
    pub reason: AccessReason,
}

impl Decision {
    /// As JSON.
    ///
    /// ```
    /// use dezky_core::access::{AccessReason, Decision};
    /// assert_eq!(Decision::from(AccessReason::DeniedRole).to_json(), r#"{"reason":"denied_role","allowed":false}"#);
    /// ```
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        push_member(&mut out, "reason", self.reason.as_str());
        out.push_str(if self.allowed { ",\"allowed\":true}" } else { ",\"allowed\":false}" });
        out
    }
}

impl From<AccessReason> for Decision {
    fn from(reason: AccessReason) -> Decision {
        Decision { allowed: reason.allows(), reason }
    }
}
