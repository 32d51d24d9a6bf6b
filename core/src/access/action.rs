//! Every action there is, and the rule that decides it.

use crate::Code;
use crate::json::{Decode, Value, decode_word};

/// Which of the rules decides an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    OwnProfile,
    Operator,
    OperatorUnlessLastAdmin,
    Evaluate,
    ReadTenant,
    UpdateTenant,
    EveryUser,
    ReadFlags,
    PlatformAdmin,
    ReadUser,
    ReadAudit,
}

/// Declares the actions, their names and their rules in one table.
macro_rules! actions {
    ($($variant:ident $text:literal $rule:ident)*) => {
        /// Something that somebody wants to do.
        ///
        /// ```
        /// use dezky_core::access::Action;
        /// assert_eq!(Action::parse("tenant.suspend"), Some(Action::TenantSuspend));
        /// assert_eq!(Action::TenantSuspend.as_str(), "tenant.suspend");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Action {
            /// Every action.
            ///
            /// ```
            /// assert!(dezky_core::access::Action::ALL.len() > 30);
            /// ```
            pub const ALL: &'static [Action] = &[$(Action::$variant),*];

            const NAMES: &'static [&'static str] = &[$($text),*];

            /// The action as documents spell it.
            ///
            /// ```
            /// assert_eq!(dezky_core::access::Action::UserMe.as_str(), "user.me");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Action::$variant => $text,)*
                }
            }

            /// The action spelled so.
            ///
            /// ```
            /// assert_eq!(dezky_core::access::Action::parse("tenant.paint"), None);
            /// ```
            pub fn parse(text: &str) -> Option<Action> {
                Action::ALL.iter().copied().find(|action| action.as_str() == text)
            }

            pub(super) const fn rule(self) -> Rule {
                match self {
                    $(Action::$variant => Rule::$rule,)*
                }
            }
        }
    };
}

actions! {
    TenantRead "tenant.read" ReadTenant
    TenantUsersRead "tenant.users.read" ReadTenant
    TenantList "tenant.list" EveryUser
    TenantCreate "tenant.create" Operator
    TenantUpdate "tenant.update" UpdateTenant
    TenantDelete "tenant.delete" Operator
    TenantSuspend "tenant.suspend" Operator
    TenantResume "tenant.resume" Operator
    TenantReconcile "tenant.reconcile" Operator
    PartnerList "partner.list" Operator
    PartnerRead "partner.read" Operator
    PartnerCreate "partner.create" Operator
    PartnerUpdate "partner.update" Operator
    PartnerDelete "partner.delete" Operator
    SubscriptionRead "subscription.read" ReadTenant
    SubscriptionList "subscription.list" EveryUser
    SubscriptionCreate "subscription.create" Operator
    SubscriptionUpdate "subscription.update" Operator
    SubscriptionDelete "subscription.delete" Operator
    UserMe "user.me" OwnProfile
    UserRead "user.read" ReadUser
    UserList "user.list" PlatformAdmin
    UserUpdate "user.update" OperatorUnlessLastAdmin
    UserDelete "user.delete" OperatorUnlessLastAdmin
    UserInvite "user.invite" Operator
    UserDeactivate "user.deactivate" OperatorUnlessLastAdmin
    FlagRead "flag.read" ReadFlags
    FlagList "flag.list" ReadFlags
    FlagCreate "flag.create" Operator
    FlagUpdate "flag.update" Operator
    FlagDelete "flag.delete" Operator
    FlagPlan "flag.plan" Operator
    FlagEvaluate "flag.evaluate" Evaluate
    SnapshotRead "snapshot.read" Operator
    SnapshotStream "snapshot.stream" Operator
    AuditRead "audit.read" ReadAudit
    KeyCreate "key.create" Operator
    KeyList "key.list" Operator
    KeyRevoke "key.revoke" Operator
}

impl Action {
    /// Whether the action is bound to a tenant, which its resource must then name.
    ///
    /// ```
    /// use dezky_core::access::Action;
    /// assert!(Action::TenantRead.needs_tenant());
    /// assert!(!Action::AuditRead.needs_tenant());
    /// ```
    pub const fn needs_tenant(self) -> bool {
        matches!(self.rule(), Rule::ReadTenant | Rule::UpdateTenant | Rule::Evaluate)
    }

    /// Whether the action is bound to a user, which its resource must then name.
    ///
    /// ```
    /// use dezky_core::access::Action;
    /// assert!(Action::UserDelete.needs_user());
    /// assert!(!Action::UserInvite.needs_user());
    /// ```
    pub const fn needs_user(self) -> bool {
        matches!(self.rule(), Rule::ReadUser | Rule::OperatorUnlessLastAdmin)
    }
}

impl Decode for Action {
    fn decode(value: Value<'_>) -> Action {
        let place = decode_word(value, Action::NAMES, Code::UnknownAction);
        Action::ALL.get(place).copied().unwrap_or(Action::UserMe)
    }
}
