//! The personas that the provider can sign in.

/// An invented person and the claims of the tokens that the provider issues for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// The name that scripts send to `/dev/token`.
    pub name: String,
    /// The description on the sign-in page.
    pub title: String,
    /// The claim `sub` of both tokens.
    pub subject: String,
    /// The claim `email`, always verified.
    pub email: String,
    /// The claim `name` of both tokens.
    pub full_name: String,
    /// The claim `aud` of the access token.
    pub audience: String,
    /// The claim `groups` of both tokens.
    pub groups: Vec<String>,
}

/// Returns one persona for each kind of caller that the server distinguishes.
pub fn personas() -> Vec<Persona> {
    let portal = "dezky-portal";
    vec![
        persona(
            "operator",
            "Platform operator, signed in to the operator portal",
            ("dev-operator", "Olga Operator"),
            "dezky-operator",
            &["dezky-platform-admins"],
        ),
        persona(
            "admin",
            "The platform operator, signed in to the portal",
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
            "Not a platform admin, signed in to the operator portal",
            ("dev-support", "Sven Support"),
            "dezky-operator",
            &[],
        ),
        persona(
            "former",
            "A deactivated platform operator",
            ("dev-former", "Freya Former"),
            "dezky-operator",
            &["dezky-platform-admins"],
        ),
        persona("stranger", "Member of no tenant", ("dev-stranger", "Stella Stranger"), portal, &[]),
        persona(
            "inactive",
            "A deactivated member of the tenant acme",
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
