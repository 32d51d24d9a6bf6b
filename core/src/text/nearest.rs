//! The name that somebody may have meant.

/// The nearest of some names to one that is not among them, if any is near. The distance is the length of what differs: the longer name
/// without the beginning and the end that both share. Near is a name of which at most half differs, or that begins with what was given.
/// Of equally near names the first in byte order counts.
///
/// ```
/// assert_eq!(dezky_core::names::nearest_name("bussiness", ["business", "free"].into_iter()), Some("business"));
/// ```
pub fn nearest_name<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut best: (usize, Option<&str>) = (usize::MAX, None);
    for name in names {
        let distance = distance(given.as_bytes(), name.as_bytes());
        let is_first = best.1.is_some_and(|other| name < other);
        if distance < best.0 || (distance == best.0 && is_first) {
            best = (distance, Some(name));
        }
    }
    best.1
}

/// How far two names are apart; [`usize::MAX`] where that is too far.
fn distance(given: &[u8], name: &[u8]) -> usize {
    let (longer, shorter) = (given.len().max(name.len()), given.len().min(name.len()));
    let start = shared(given.iter(), name.iter(), shorter);
    let end = shared(given.iter().rev(), name.iter().rev(), shorter - start);
    let differing = longer - start - end;
    let is_beginning = start == given.len() && start >= SHORTEST_BEGINNING;
    if differing * 2 <= longer || is_beginning { differing } else { usize::MAX }
}

/// Fewer characters begin too many names.
const SHORTEST_BEGINNING: usize = 3;

/// How many bytes are the same, up to the first that is not, and `most` of them.
fn shared<'b>(one: impl Iterator<Item = &'b u8>, other: impl Iterator<Item = &'b u8>, most: usize) -> usize {
    one.zip(other).take(most).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn what_was_meant_is_found_and_what_is_far_is_not() {
        let members = ["tenantId", "tenantSlug", "plan", "partnerSlug", "environment"];
        for (given, meant) in [
            ("partner", Some("partnerSlug")),
            ("tenant", Some("tenantId")),
            ("tenant_slug", Some("tenantSlug")),
            ("tenantid", Some("tenantId")),
            ("env", Some("environment")),
            ("plans", Some("plan")),
            ("plna", Some("plan")),
            ("x", None),
            ("", None),
            ("colour", None),
            ("pl\u{e4}n", Some("plan")),
        ] {
            assert_eq!(nearest_name(given, members.into_iter()), meant, "{given}");
        }
        let plans = ["business", "enterprise", "free"];
        for (given, meant) in [
            ("bussiness", Some("business")),
            ("buisness", Some("business")),
            ("entreprise", Some("enterprise")),
            ("fee", Some("free")),
            ("gold", None),
        ] {
            assert_eq!(nearest_name(given, plans.into_iter()), meant, "{given}");
        }
    }
}
