//! The registered tenants, packed: one string holds the ids and slugs of all tenants, and plans and
//! partners are stored once.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::{WorldPartner, WorldTenant};
use crate::flags::{Axis, Name, Subject};
use crate::limits::{MAX_PARTNERS, MAX_TENANTS};
use crate::model::TenantStatus;
use crate::text::{Index, hash_name, list_path, repetitions, same_text};
use crate::{Code, Error};

/// Distinct strings, numbered in the order of insertion.
#[derive(Debug, Default)]
struct NumberedNames {
    names: Vec<(Box<str>, u64)>,
    numbers: Index,
}

impl NumberedNames {
    fn find(&self, text: &str) -> Option<u32> {
        let has_text =
            |number: u32| self.names.get(number as usize).is_some_and(|(other, _)| same_text(other, text));
        self.numbers.find(hash_name(text), has_text)
    }

    fn add(&mut self, text: &str) -> u32 {
        self.find(text).unwrap_or_else(|| {
            let (number, hash) = (self.names.len() as u32, hash_name(text));
            self.names.push((text.into(), hash));
            self.numbers.insert(hash, number);
            number
        })
    }

    fn name(&self, number: u32) -> Option<Name<'_>> {
        self.names.get(number as usize).map(|(text, hash)| Name { text, hash: *hash })
    }
}

/// A tenant. `text` of the population holds its id and then its slug, beginning at `start`. Plan
/// and partner are numbers.
#[derive(Debug, Clone, Copy)]
struct Row {
    start: u32,
    id_length: u8,
    slug_length: u8,
    slug_hash: u64,
    plan: u32,
    partner: u32,
}

/// The number that stands for no partner.
const NONE: u32 = u32::MAX;

/// The registered tenants, sorted by id.
#[derive(Debug)]
pub(super) struct Population {
    text: String,
    rows: Vec<Row>,
    plans: NumberedNames,
    partners: NumberedNames,
}

/// Adds a problem for each list that is too long and each repeated id or slug.
fn note_limits_and_repetitions(
    tenants: &[WorldTenant],
    partners: &[WorldPartner],
    problems: &mut Vec<Error>,
) {
    for (list, count, limit) in
        [("tenants", tenants.len(), MAX_TENANTS), ("partners", partners.len(), MAX_PARTNERS)]
    {
        if count > limit {
            problems.push(Error::new(Code::TooManyItems, format!("/{list}")));
        }
    }
    let lists = [
        (
            "partners",
            "id",
            Code::DuplicateId,
            repetitions(partners.iter().map(|partner| partner.id.as_str())),
        ),
        (
            "partners",
            "slug",
            Code::DuplicateSlug,
            repetitions(partners.iter().map(|partner| partner.slug.as_str())),
        ),
        ("tenants", "id", Code::DuplicateId, repetitions(tenants.iter().map(|tenant| tenant.id.as_str()))),
        (
            "tenants",
            "slug",
            Code::DuplicateSlug,
            repetitions(tenants.iter().map(|tenant| tenant.slug.as_str())),
        ),
    ];
    for (list, member, code, indexes) in lists {
        for index in indexes {
            problems.push(Error::new(code, list_path(list, index, member)));
        }
    }
}

impl Population {
    /// Packs the registered tenants. Adds a problem for each repeated id or slug and each unknown
    /// partner.
    pub(super) fn new(
        mut tenants: Vec<WorldTenant>,
        partners: Vec<WorldPartner>,
        problems: &mut Vec<Error>,
    ) -> Population {
        note_limits_and_repetitions(&tenants, &partners, problems);
        let mut partner_ids = NumberedNames::default();
        let mut partner_slugs = NumberedNames::default();
        for partner in &partners {
            partner_ids.add(partner.id.as_str());
            partner_slugs.add(partner.slug.as_str());
        }
        for (index, tenant) in tenants.iter().enumerate() {
            if tenant.partner_id.as_ref().is_some_and(|id| partner_ids.find(id.as_str()).is_none()) {
                problems.push(Error::new(Code::UnknownPartner, list_path("tenants", index, "partnerId")));
            }
        }

        tenants.retain(|tenant| tenant.status != TenantStatus::Terminated);
        tenants.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut population = Population {
            text: String::new(),
            rows: Vec::new(),
            plans: NumberedNames::default(),
            partners: partner_slugs,
        };
        population.rows.reserve_exact(tenants.len());
        for tenant in &tenants {
            // Both tables add the partners in the same order, so a partner has the same number in
            // both.
            let partner =
                tenant.partner_id.as_ref().and_then(|id| partner_ids.find(id.as_str())).unwrap_or(NONE);
            population.register(tenant, partner);
        }
        population
    }

    fn register(&mut self, tenant: &WorldTenant, partner: u32) {
        let (id, slug) = (tenant.id.as_str(), tenant.slug.as_str());
        self.rows.push(Row {
            start: self.text.len() as u32,
            id_length: id.len() as u8,
            slug_length: slug.len() as u8,
            slug_hash: hash_name(slug),
            plan: self.plans.add(tenant.plan.as_str()),
            partner,
        });
        self.text.push_str(id);
        self.text.push_str(slug);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the subjects of all registered tenants, sorted by id.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        self.rows.iter().map(|row| self.subject_of(row))
    }

    pub(super) fn tenant_id(&self, tenant: u32) -> &str {
        self.rows.get(tenant as usize).map_or("", |row| self.id_of(row))
    }

    pub(super) fn subject(&self, tenant: u32) -> Option<Subject<'_>> {
        self.rows.get(tenant as usize).map(|row| self.subject_of(row))
    }

    /// Returns the number of the tenant with this id.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.rows.binary_search_by(|row| self.id_of(row).cmp(id)).ok().map(|tenant| tenant as u32)
    }

    /// Returns whether a registered tenant has this plan.
    pub(super) fn has_plan(&self, plan: &str) -> bool {
        self.plans.find(plan).is_some()
    }

    /// Returns the plans that registered tenants have.
    pub(super) fn plans(&self) -> impl Iterator<Item = &str> {
        self.plans.names.iter().map(|(text, _)| &**text)
    }

    /// Returns the slugs of the partners.
    pub(super) fn partners(&self) -> impl Iterator<Item = &str> {
        self.partners.names.iter().map(|(text, _)| &**text)
    }

    /// Returns an index of the registered tenants by slug.
    pub(super) fn index_slugs(&self) -> Index {
        let mut index = Index::with_capacity(self.rows.len());
        for (number, row) in (0..).zip(&self.rows) {
            index.insert(row.slug_hash, number);
        }
        index
    }

    /// Returns whether a registered tenant has this slug.
    pub(super) fn has_slug(&self, index: &Index, slug: &str) -> bool {
        let has_slug =
            |number| self.subject(number).and_then(|subject| subject.value(Axis::TenantSlugs)) == Some(slug);
        index.find(hash_name(slug), has_slug).is_some()
    }

    pub(super) fn has_partner(&self, slug: &str) -> bool {
        self.partners.find(slug).is_some()
    }

    /// Returns the plan and the partner of a tenant.
    pub(super) fn plan_and_partner(&self, tenant: u32) -> (&str, Option<&str>) {
        let Some(row) = self.rows.get(tenant as usize) else { return ("", None) };
        (
            self.plans.name(row.plan).map_or("", |name| name.text),
            self.partners.name(row.partner).map(|name| name.text),
        )
    }

    fn id_of(&self, row: &Row) -> &str {
        let start = row.start as usize;
        self.text.get(start..start + usize::from(row.id_length)).unwrap_or_default()
    }

    fn subject_of(&self, row: &Row) -> Subject<'_> {
        let slug_start = row.start as usize + usize::from(row.id_length);
        let slug = self.text.get(slug_start..slug_start + usize::from(row.slug_length)).unwrap_or_default();
        let slug = Name { text: slug, hash: row.slug_hash };
        let plan = self.plans.name(row.plan).unwrap_or(Name { text: "", hash: 0 });
        Subject::from_hashed(self.id_of(row), slug, plan, self.partners.name(row.partner))
    }
}
