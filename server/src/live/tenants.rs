//! The index of tenants by id and slug.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dezky_core::world::WorldTenant;

/// All tenants. The sets hash the id or slug inside the shared row, so no key is stored twice.
#[derive(Default)]
pub(super) struct Tenants {
    by_id: HashSet<ById>,
    by_slug: HashSet<BySlug>,
}

impl Tenants {
    /// Looks up a tenant by id.
    pub(super) fn get(&self, id: &str) -> Option<&Arc<WorldTenant>> {
        self.by_id.get(id).map(|ById(row)| row)
    }

    /// Looks up a tenant by slug.
    pub(super) fn by_slug(&self, slug: &str) -> Option<&Arc<WorldTenant>> {
        self.by_slug.get(slug).map(|BySlug(row)| row)
    }

    /// Iterates over all tenants, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<WorldTenant>> {
        self.by_id.iter().map(|ById(row)| row)
    }

    /// The number of tenants.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Reserves room for `count` more tenants.
    pub(super) fn reserve(&mut self, count: usize) {
        self.by_id.reserve(count);
        self.by_slug.reserve(count);
    }

    /// Inserts or replaces a tenant. Ids and slugs never change.
    pub(super) fn put(&mut self, row: WorldTenant) {
        let row = Arc::new(row);
        self.by_slug.replace(BySlug(Arc::clone(&row)));
        self.by_id.replace(ById(row));
    }
}

macro_rules! keyed {
    ($Keyed:ident by $name:ident) => {
        struct $Keyed(Arc<WorldTenant>);

        impl Borrow<str> for $Keyed {
            fn borrow(&self) -> &str {
                self.0.$name.as_str()
            }
        }

        impl Hash for $Keyed {
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                self.0.$name.as_str().hash(hasher);
            }
        }

        impl PartialEq for $Keyed {
            fn eq(&self, other: &$Keyed) -> bool {
                self.0.$name == other.0.$name
            }
        }

        impl Eq for $Keyed {}
    };
}

keyed! { ById by id }
keyed! { BySlug by slug }
