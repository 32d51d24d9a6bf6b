//! Whom one may sign in as.

/// Somebody to sign in as, and what their token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// How scripts call them.
    pub name: String,
    /// What they are, for the page.
    pub title: String,
    /// `sub`
    pub subject: String,
    /// `email`
    pub email: String,
    /// `name`
    pub full_name: String,
    /// `aud` of the access token.
    pub audience: String,
    /// `groups`
    pub groups: Vec<String>,
}

/// One persona for each kind of caller that the server tells apart.
pub fn personas() -> Vec<Persona> {
    let portal = "dezky-portal";
    vec![
        persona(
            "operator",
            "Platform operator, signed in to operate",
            ("dev-operator", "Olga Operator"),
            "dezky-operator",
            &["dezky-platform-admins"],
        ),
        persona(
            "admin",
            "The same person, signed in to the portal",
            ("dev-operator", "Olga Operator"),
            portal,
            &["dezky-platform-admins"],
        ),
        persona("owner", "Owner at the tenant acme", ("dev-owner", "Otto Owner"), portal, &["tenant-acme"]),
        persona(
            "member",
            "Member of the tenant acme",
            ("dev-member", "Mia Member"),
            portal,
            &["tenant-acme"],
        ),
        persona(
            "other",
            "Member of the tenant globex",
            ("dev-other", "Omar Other"),
            portal,
            &["tenant-globex"],
        ),
        persona(
            "support",
            "Signed in to operate, and not a platform admin",
            ("dev-support", "Sven Support"),
            "dezky-operator",
            &[],
        ),
        persona(
            "former",
            "A platform operator who was deactivated",
            ("dev-former", "Freya Former"),
            "dezky-operator",
            &["dezky-platform-admins"],
        ),
        persona("stranger", "Member of no tenant", ("dev-stranger", "Stella Stranger"), portal, &[]),
        persona(
            "inactive",
            "Somebody who was deactivated",
            ("dev-inactive", "Ina Inactive"),
            portal,
            &["tenant-acme"],
        ),
    ]
}

fn persona(
    name: &str,
    title: &str,
    (subject, full_name): (&str, &str),
    audience: &str,
    groups: &[&str],
) -> Persona {
    Persona {
        name: name.to_owned(),
        title: title.to_owned(),
        subject: subject.to_owned(),
        email: format!("{}@dezky.example", subject.trim_start_matches("dev-")),
        full_name: full_name.to_owned(),
        audience: audience.to_owned(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}
