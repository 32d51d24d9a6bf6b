//! The decision and its reasons (specification section 13.4).

use alloc::string::String;

use serde::{Serialize, Serializer};

use crate::text::push_member;

/// The message of [`AccessReason::DeniedOperatorAudience`]. Clients compare it, so it is fixed.
pub const OPERATOR_GUARD_MESSAGE: &str = AccessReason::DeniedOperatorAudience.message();

macro_rules! reasons {
    ($($variant:ident $text:literal $allowed:literal $message:literal;)*) => {
        /// The reason for which an action is allowed or denied.
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
            /// Every reason, in the order of the specification.
            pub const ALL: &'static [AccessReason] = &[$(AccessReason::$variant),*];

            /// Returns the stable code of the reason.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(AccessReason::$variant => $text,)*
                }
            }

            /// Returns whether the reason allows the action.
            pub const fn allows(self) -> bool {
                match self {
                    $(AccessReason::$variant => $allowed,)*
                }
            }

            /// Returns a sentence that explains the reason to a person.
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
    AllowedSelf "allowed_self" true "Every person may do this for themselves";
    AllowedKey "allowed_key" true "The machine key covers this";
    DeniedNoUser "denied_no_user" false "No user record belongs to this token";
    DeniedInactiveUser "denied_inactive_user" false "This user is not active";
    DeniedOperatorAudience "denied_operator_audience" false "This endpoint requires an operator-scoped token";
    DeniedNotPlatformAdmin "denied_not_platform_admin" false "Only platform admins may do this";
    DeniedNotMember "denied_not_member" false "Only members of the tenant may do this";
    DeniedRole "denied_role" false "Only owners and admins of the tenant may do this";
    DeniedField "denied_field" false "Only operators may change this field";
    DeniedTenantSuspended "denied_tenant_suspended" false "The tenant is suspended and cannot be changed";
    DeniedTenantTerminated "denied_tenant_terminated" false "The tenant is terminated";
    DeniedLastAdmin "denied_last_admin" false "The last active platform admin cannot be removed";
    DeniedKeyScope "denied_key_scope" false "The machine key does not cover this";
}

impl Serialize for AccessReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The result of [`decide`](crate::access::decide): `{ allowed, reason }`.
///
/// ```
/// use dezky_core::access::{AccessReason, Decision};
/// let decision = Decision::from(AccessReason::DeniedRole);
/// assert!(!decision.allowed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// Always equal to [`AccessReason::allows`] of the reason.
    pub allowed: bool,
    /// The reason for the decision.
    pub reason: AccessReason,
}

impl Decision {
    /// Returns the decision as JSON.
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
