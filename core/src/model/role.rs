//! The roles of a user (specification section 4.4).

use crate::names::words;

words! {
    /// The role that a user has in all of their tenants.
    #[derive(Default)]
    Role: UnknownRole {
        /// The person who signed up.
        Owner "owner",
        /// A person with the rights of an owner.
        Admin "admin",
        /// A person who can read and not change.
        #[default]
        Member "member",
    }
}
