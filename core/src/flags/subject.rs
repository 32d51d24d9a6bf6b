//! The subject of an evaluation: one tenant's id, slug, plan, partner and environment.

use alloc::boxed::Box;

use super::Axis;
use crate::json::{Document, Value};
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::names::{Environment, Id, PlanKey, Slug};
use crate::names::{is_id, is_key, is_slug};
use crate::text::hash_name;
use crate::{Code, Error};

/// A name with its hash, which compiled rules use for lookup.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: u64,
}

impl<'a> Name<'a> {
    pub(crate) fn new(text: &'a str) -> Name<'a> {
        Name { text, hash: hash_name(text) }
    }
}

/// The tenant that flags are evaluated for. Borrows its names and needs no allocation.
///
/// ```
/// use dezky_core::flags::Subject;
/// let subject = Subject::new("t1", "acme", "business")?.with_partner("nordic")?.with_environment("production")?;
/// assert_eq!(subject.tenant_id(), "t1");
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    tenant_id: &'a str,
    /// The value on each axis, in the order of [`Axis`].
    values: [Option<Name<'a>>; 4],
}

impl<'a> Subject<'a> {
    /// Creates a subject from a tenant's id, slug and plan. Reports every malformed name.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::flags::Subject;
    /// let error = Subject::new("t:1", "acme", "business").unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::InvalidId, "/tenantId"));
    /// ```
    pub fn new(tenant_id: &'a str, tenant_slug: &'a str, plan: &'a str) -> Result<Subject<'a>, Error> {
        let checks = [
            (is_id(tenant_id), Code::InvalidId, "/tenantId"),
            (is_slug(tenant_slug), Code::InvalidSlug, "/tenantSlug"),
            (is_key(plan), Code::InvalidPlan, "/plan"),
        ];
        if checks.iter().all(|(well_formed, ..)| *well_formed) {
            return Ok(Subject::from_hashed(tenant_id, Name::new(tenant_slug), Name::new(plan), None));
        }
        let wrong = checks.into_iter().filter(|(well_formed, ..)| !well_formed);
        let problems = wrong.map(|(_, code, path)| Error::new(code, path)).collect();
        Error::unless_clean(problems, Subject::from_hashed("", Name::new(""), Name::new(""), None))
    }

    /// Creates a subject from names that are already validated. Cannot fail.
    pub fn from_names(
        tenant_id: &'a Id,
        tenant_slug: &'a Slug,
        plan: &'a PlanKey,
        partner_slug: Option<&'a Slug>,
        environment: Option<&'a Environment>,
    ) -> Subject<'a> {
        let partner = partner_slug.map(|slug| Name::new(slug.as_str()));
        let environment = environment.map(|environment| Name::new(environment.as_str()));
        let (slug, plan) = (Name::new(tenant_slug.as_str()), Name::new(plan.as_str()));
        Subject::from_hashed(tenant_id.as_str(), slug, plan, partner).with(Axis::Environments, environment)
    }

    /// Sets the slug of the tenant's partner.
    pub fn with_partner(self, partner_slug: &'a str) -> Result<Subject<'a>, Error> {
        if !is_slug(partner_slug) {
            return Err(Error::new(Code::InvalidSlug, "/partnerSlug"));
        }
        Ok(self.with(Axis::PartnerSlugs, Some(Name::new(partner_slug))))
    }

    /// Sets the environment, which otherwise is that of the snapshot.
    pub fn with_environment(self, environment: &'a str) -> Result<Subject<'a>, Error> {
        if !is_key(environment) {
            return Err(Error::new(Code::InvalidEnvironment, "/environment"));
        }
        Ok(self.with(Axis::Environments, Some(Name::new(environment))))
    }

    /// The id of the tenant.
    pub fn tenant_id(&self) -> &'a str {
        self.tenant_id
    }

    /// The subject's value on an axis.
    pub fn value(&self, axis: Axis) -> Option<&'a str> {
        self.name(axis).map(|name| name.text)
    }

    /// Creates a subject from well-formed names. An absent name is empty.
    pub(super) fn from_valid(
        id: &'a str,
        slug: &'a str,
        plan: &'a str,
        partner: &'a str,
        environment: &'a str,
    ) -> Subject<'a> {
        let given = |text: &'a str| if text.is_empty() { None } else { Some(Name::new(text)) };
        Subject { tenant_id: id, values: [given(plan), given(slug), given(partner), given(environment)] }
    }

    /// Reads a subject that borrows its names from a document.
    pub(super) fn read(value: Value<'a>) -> Subject<'a> {
        let [id, slug, plan, partner, environment] = read_names(value);
        Subject::from_valid(id.raw(), slug.raw(), plan.raw(), partner.raw(), environment.raw())
    }

    /// Creates a subject from well-formed names with their hashes.
    pub(crate) fn from_hashed(
        tenant_id: &'a str,
        slug: Name<'a>,
        plan: Name<'a>,
        partner: Option<Name<'a>>,
    ) -> Subject<'a> {
        Subject { tenant_id, values: [Some(plan), Some(slug), partner, None] }
    }

    pub(crate) fn name(&self, axis: Axis) -> Option<Name<'a>> {
        self.values.get(axis as usize).copied().flatten()
    }

    /// Replaces the value on an axis.
    pub(crate) fn with(mut self, axis: Axis, name: Option<Name<'a>>) -> Subject<'a> {
        if let Some(slot) = self.values.get_mut(axis as usize) {
            *slot = name;
        }
        self
    }
}

/// Reads id, slug, plan, partner slug and environment from a document.
pub(super) fn read_names(value: Value<'_>) -> [Value<'_>; 5] {
    let object = value.object();
    object.only(&["tenantId", "tenantSlug", "plan", "partnerSlug", "environment"]);
    [
        object.required_value("tenantId").checked(is_id, Code::InvalidId),
        object.required_value("tenantSlug").checked(is_slug, Code::InvalidSlug),
        object.required_value("plan").checked(is_key, Code::InvalidPlan),
        object.part("partnerSlug").checked(is_slug, Code::InvalidSlug),
        object.part("environment").checked(is_key, Code::InvalidEnvironment),
    ]
}

/// A subject that owns its names, read from
/// `{ tenantId, tenantSlug, plan, partnerSlug?, environment? }`.
///
/// ```
/// use dezky_core::flags::SubjectDocument;
/// let document = SubjectDocument::from_json(br#"{ "tenantId": "t1", "tenantSlug": "acme", "plan": "business" }"#)?;
/// assert_eq!(document.subject().tenant_id(), "t1");
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectDocument {
    tenant_id: Box<str>,
    /// The value on each axis, in the order of [`Axis`].
    values: [Option<Box<str>>; 4],
}

impl SubjectDocument {
    /// Reads a subject. Rejects unknown members, because people write subjects.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::flags::SubjectDocument;
    /// let error = SubjectDocument::from_json(b"{}").unwrap_err();
    /// assert!(error.all().all(|each| each.code == Code::Missing));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<SubjectDocument, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES);
        let subject = Subject::read(document.root());
        document.finish()?;
        let owned = |name: Option<Name<'_>>| name.map(|name| name.text.into());
        Ok(SubjectDocument { tenant_id: subject.tenant_id.into(), values: subject.values.map(owned) })
    }

    /// Returns a subject that borrows its names from this document.
    pub fn subject(&self) -> Subject<'_> {
        let values = self.values.each_ref().map(|value| value.as_deref().map(Name::new));
        Subject { tenant_id: &self.tenant_id, values }
    }
}
