//! "Did you mean" suggestions for unknown names.

/// Returns the name that is most similar to `given`, if one is similar enough.
///
/// The distance between two names is the length of the longer one without their common prefix and
/// suffix. A name is similar enough if at most half of it differs, or if it begins with `given`.
/// Of equally similar names, the first in byte order is returned.
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

/// The distance between two names, or [`usize::MAX`] if they are not similar.
fn distance(given: &[u8], name: &[u8]) -> usize {
    let (longer, shorter) = (given.len().max(name.len()), given.len().min(name.len()));
    let start = common_prefix(given.iter(), name.iter(), shorter);
    let end = common_prefix(given.iter().rev(), name.iter().rev(), shorter - start);
    let differing = longer - start - end;
    let is_prefix = start == given.len() && start >= SHORTEST_PREFIX;
    if differing * 2 <= longer || is_prefix { differing } else { usize::MAX }
}

/// Shorter prefixes match too many names.
const SHORTEST_PREFIX: usize = 3;

/// The length of the common prefix of two byte sequences, at most `max`.
fn common_prefix<'b>(
    one: impl Iterator<Item = &'b u8>,
    other: impl Iterator<Item = &'b u8>,
    max: usize,
) -> usize {
    one.zip(other).take(max).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn similar_names_are_suggested_and_dissimilar_ones_are_not() {
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
