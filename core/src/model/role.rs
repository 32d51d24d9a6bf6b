//! The roles of a user in their tenants.

use crate::names::words;

words! {
    /// What somebody is in their tenants.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::Role::parse("owner"), Some(dezky_core::model::Role::Owner));
    /// ```
    #[derive(Default)]
    Role: UnknownRole {
        /// Whoever signed up.
        Owner "owner",
        /// May change what an owner may.
        Admin "admin",
        /// May look.
        #[default]
        Member "member",
    }
}
