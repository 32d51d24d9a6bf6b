//! The subject of an evaluation: one tenant, as five names.

use super::Axis;
use crate::json::{decode_bytes, decode_objects};
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::names::{hash_name, is_id, is_key, is_slug};
use crate::{Code, Environment, Error, Id, PlanKey, Slug};

/// A name with the hash by which compiled rules look it up.
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

/// The tenant that flags are evaluated for. It borrows its names and costs no allocation.
///
/// ```
/// use dezky_core::Subject;
/// let subject = Subject::new("t1", "acme", "business")?.partner("nordic")?.environment("production")?;
/// assert_eq!(subject.tenant_id(), "t1");
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    tenant_id: &'a str,
    /// By axis.
    values: [Option<Name<'a>>; 4],
}

impl<'a> Subject<'a> {
    /// A tenant by id, slug and plan. Every name that is malformed is reported.
    ///
    /// ```
    /// use dezky_core::{Code, Subject};
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
            return Ok(Subject::from_names(tenant_id, Name::new(tenant_slug), Name::new(plan), None));
        }
        let wrong = checks.into_iter().filter(|(well_formed, ..)| !well_formed);
        let problems = wrong.map(|(_, code, path)| Error::new(code, path)).collect();
        Error::unless_clean(problems, Subject::from_names("", Name::new(""), Name::new(""), None))
    }

    /// The same tenant, brought by a partner.
    ///
    /// ```
    /// # use dezky_core::Subject;
    /// assert!(Subject::new("t1", "acme", "business")?.partner("Nordic").is_err());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn partner(self, partner_slug: &'a str) -> Result<Subject<'a>, Error> {
        if !is_slug(partner_slug) {
            return Err(Error::new(Code::InvalidSlug, "/partnerSlug"));
        }
        Ok(self.with(Axis::PartnerSlugs, Some(Name::new(partner_slug))))
    }

    /// The same tenant in a named environment, instead of the snapshot's own.
    ///
    /// ```
    /// # use dezky_core::Subject;
    /// assert!(Subject::new("t1", "acme", "business")?.environment("staging").is_ok());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn environment(self, environment: &'a str) -> Result<Subject<'a>, Error> {
        if !is_key(environment) {
            return Err(Error::new(Code::InvalidEnvironment, "/environment"));
        }
        Ok(self.with(Axis::Environments, Some(Name::new(environment))))
    }

    /// The tenant's id.
    ///
    /// ```
    /// # use dezky_core::Subject;
    /// assert_eq!(Subject::new("t1", "acme", "business")?.tenant_id(), "t1");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn tenant_id(&self) -> &'a str {
        self.tenant_id
    }

    /// What the subject has on an axis.
    ///
    /// ```
    /// # use dezky_core::{Axis, Subject};
    /// assert_eq!(Subject::new("t1", "acme", "business")?.value(Axis::Plans), Some("business"));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn value(&self, axis: Axis) -> Option<&'a str> {
        self.name(axis).map(|name| name.text)
    }

    /// From names that are known to be well formed.
    pub(crate) fn from_names(
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

    /// The same with another name on an axis, or none.
    pub(crate) fn with(mut self, axis: Axis, name: Option<Name<'a>>) -> Subject<'a> {
        if let Some(slot) = self.values.get_mut(axis as usize) {
            *slot = name;
        }
        self
    }
}

/// A subject as a document: `{ tenantId, tenantSlug, plan, partnerSlug?, environment? }`. It owns its names.
///
/// ```
/// use dezky_core::SubjectDocument;
/// let document = SubjectDocument::from_json(br#"{ "tenantId": "t1", "tenantSlug": "acme", "plan": "business" }"#)?;
/// assert_eq!(document.subject().tenant_id(), "t1");
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectDocument {
    tenant_id: Id,
    tenant_slug: Slug,
    plan: PlanKey,
    partner_slug: Option<Slug>,
    environment: Option<Environment>,
}

impl SubjectDocument {
    /// Reads a subject strictly.
    ///
    /// ```
    /// use dezky_core::{Code, SubjectDocument};
    /// let error = SubjectDocument::from_json(b"{}").unwrap_err();
    /// assert!(error.all().all(|each| each.code == Code::Missing));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<SubjectDocument, Error> {
        decode_bytes(bytes, MAX_DOCUMENT_BYTES)
    }

    /// The subject itself.
    ///
    /// ```
    /// # use dezky_core::SubjectDocument;
    /// # let document = SubjectDocument::from_json(br#"{ "tenantId": "t1", "tenantSlug": "acme", "plan": "business" }"#)?;
    /// let subject = document.subject();
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn subject(&self) -> Subject<'_> {
        let partner = self.partner_slug.as_ref().map(|slug| Name::new(slug.as_str()));
        let environment = self.environment.as_ref().map(|environment| Name::new(environment.as_str()));
        let (slug, plan) = (Name::new(self.tenant_slug.as_str()), Name::new(self.plan.as_str()));
        Subject::from_names(self.tenant_id.as_str(), slug, plan, partner)
            .with(Axis::Environments, environment)
    }
}

decode_objects! {
    SubjectDocument {
        tenant_id: required("tenantId"),
        tenant_slug: required("tenantSlug"),
        plan: required("plan"),
        partner_slug: optional("partnerSlug"),
        environment: optional("environment"),
    }
}
