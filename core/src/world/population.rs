//! The registered tenants, packed: everyone's names in one text, plans and partners shared.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::{WorldPartner, WorldTenant};
use crate::flags::Subject;
use crate::flags::{Axis, Name};
use crate::limits::{MAX_PARTNERS, MAX_TENANTS};
use crate::model::TenantStatus;
use crate::text::{Index, hash_name, list_path, repetitions, same_text};
use crate::{Code, Error};

/// Distinct texts by number.
#[derive(Debug, Default)]
struct Numbered {
    texts: Vec<(Box<str>, u64)>,
    numbers: Index,
}

impl Numbered {
    fn find(&self, text: &str) -> Option<u32> {
        let is_it =
            |number: u32| self.texts.get(number as usize).is_some_and(|(other, _)| same_text(other, text));
        self.numbers.find(hash_name(text), is_it)
    }

    fn add(&mut self, text: &str) -> u32 {
        self.find(text).unwrap_or_else(|| {
            let (number, hash) = (self.texts.len() as u32, hash_name(text));
            self.texts.push((text.into(), hash));
            self.numbers.insert(hash, number);
            number
        })
    }

    fn name(&self, number: u32) -> Option<Name<'_>> {
        self.texts.get(number as usize).map(|(text, hash)| Name { text, hash: *hash })
    }
}

/// A tenant: its id and slug one after the other in the text, its plan and partner by number.
#[derive(Debug, Clone, Copy)]
struct Row {
    start: u32,
    id_length: u8,
    slug_length: u8,
    slug_hash: u64,
    plan: u32,
    partner: u32,
}

/// The number of no partner.
const NONE: u32 = u32::MAX;

/// The registered tenants, sorted by id.
#[derive(Debug)]
pub(super) struct Population {
    text: String,
    rows: Vec<Row>,
    plans: Numbered,
    partners: Numbered,
}

impl Population {
    /// Notes every id or slug that is taken already, and every partner that is not listed.
    pub(super) fn new(
        mut tenants: Vec<WorldTenant>,
        partners: Vec<WorldPartner>,
        problems: &mut Vec<Error>,
    ) -> Population {
        for (list, count, limit) in
            [("tenants", tenants.len(), MAX_TENANTS), ("partners", partners.len(), MAX_PARTNERS)]
        {
            if count > limit {
                problems.push(Error::new(Code::TooManyItems, format!("/{list}")));
            }
        }
        let mut taken = |list, member, code, repeated: Vec<usize>| {
            problems
                .extend(repeated.into_iter().map(|index| Error::new(code, list_path(list, index, member))));
        };
        taken(
            "partners",
            "id",
            Code::DuplicateId,
            repetitions(partners.iter().map(|partner| partner.id.as_str())),
        );
        taken(
            "partners",
            "slug",
            Code::DuplicateSlug,
            repetitions(partners.iter().map(|partner| partner.slug.as_str())),
        );
        taken(
            "tenants",
            "id",
            Code::DuplicateId,
            repetitions(tenants.iter().map(|tenant| tenant.id.as_str())),
        );
        taken(
            "tenants",
            "slug",
            Code::DuplicateSlug,
            repetitions(tenants.iter().map(|tenant| tenant.slug.as_str())),
        );

        let mut partner_ids = Numbered::default();
        let mut partner_slugs = Numbered::default();
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
            plans: Numbered::default(),
            partners: partner_slugs,
        };
        population.rows.reserve_exact(tenants.len());
        for tenant in &tenants {
            // Ids and slugs of partners are added in step, so that a partner has one number for both.
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

    /// Everyone, by id.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        self.rows.iter().map(|row| self.subject_of(row))
    }

    pub(super) fn tenant_id(&self, tenant: u32) -> &str {
        self.rows.get(tenant as usize).map_or("", |row| self.id_of(row))
    }

    pub(super) fn subject(&self, tenant: u32) -> Option<Subject<'_>> {
        self.rows.get(tenant as usize).map(|row| self.subject_of(row))
    }

    /// The tenant with this id.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.rows.binary_search_by(|row| self.id_of(row).cmp(id)).ok().map(|tenant| tenant as u32)
    }

    /// Whether a registered tenant has this plan.
    pub(super) fn has_plan(&self, plan: &str) -> bool {
        self.plans.find(plan).is_some()
    }

    /// The plans that registered tenants have.
    pub(super) fn plans(&self) -> impl Iterator<Item = &str> {
        self.plans.texts.iter().map(|(text, _)| &**text)
    }

    /// The slugs of the partners.
    pub(super) fn partners(&self) -> impl Iterator<Item = &str> {
        self.partners.texts.iter().map(|(text, _)| &**text)
    }

    /// The registered tenants by slug.
    pub(super) fn index_slugs(&self) -> Index {
        let mut index = Index::with_capacity(self.rows.len());
        for (number, row) in (0..).zip(&self.rows) {
            index.insert(row.slug_hash, number);
        }
        index
    }

    /// Whether a registered tenant has this slug.
    pub(super) fn has_slug(&self, index: &Index, slug: &str) -> bool {
        let is_it =
            |number| self.subject(number).and_then(|subject| subject.value(Axis::TenantSlugs)) == Some(slug);
        index.find(hash_name(slug), is_it).is_some()
    }

    pub(super) fn has_partner(&self, slug: &str) -> bool {
        self.partners.find(slug).is_some()
    }

    /// A tenant's plan and partner, where it has one.
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
