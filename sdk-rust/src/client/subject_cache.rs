//! The cache of subjects, which expires as a whole when the population changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use dezky_core::flags::{Axis, SubjectDocument};
use dezky_core::json::read_json;
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::names::Slug;
use serde_json::{Map, Value};

/// The capacity of the cache. A subject takes a few hundred bytes.
const MAX_SUBJECTS: usize = 4_096;

/// A subject as the server last returned it.
#[derive(Debug, Clone)]
pub(super) struct CachedSubject {
    pub(super) subject: Arc<SubjectDocument>,
    /// The `ETag` of the response, for `If-None-Match`.
    pub(super) tag: Option<String>,
    /// The generation of the cache when the request started.
    pub(super) generation: u64,
    /// After a failure, the server is not asked again before this time.
    pub(super) pause_until: Option<Instant>,
    /// A counter value; later entries have larger ones.
    order: u64,
}

/// The cache. Only the client's thread writes to it. It contains no lock, so the process may fork
/// at any time.
#[derive(Debug, Default)]
pub(super) struct SubjectCache {
    entries: ArcSwap<HashMap<Arc<str>, Arc<CachedSubject>>>,
    /// The number of population changes; 0 until the server has reported its population.
    generation: AtomicU64,
    order: AtomicU64,
}

impl SubjectCache {
    pub(super) fn get(&self, slug: &Slug) -> Option<Arc<CachedSubject>> {
        self.entries.load().get(slug.as_str()).cloned()
    }

    /// Returns whether the subject can be returned without asking the server.
    pub(super) fn is_fresh(&self, cached: &CachedSubject) -> bool {
        cached.generation != 0 && cached.generation == self.generation()
            || cached.pause_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Expires every subject, because a tenant or a partner changed.
    pub(super) fn expire(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn insert(
        &self,
        slug: &Slug,
        subject: Arc<SubjectDocument>,
        tag: Option<String>,
        generation: u64,
        pause_until: Option<Instant>,
    ) {
        let order = self.order.fetch_add(1, Ordering::Relaxed);
        let cached = Arc::new(CachedSubject { subject, tag, generation, pause_until, order });
        let mut entries = HashMap::clone(&self.entries.load());
        if entries.len() >= MAX_SUBJECTS && !entries.contains_key(slug.as_str()) {
            let oldest = entries.iter().min_by_key(|(_, cached)| cached.order).map(|(slug, _)| slug.clone());
            oldest.and_then(|slug| entries.remove(&slug));
        }
        entries.insert(slug.as_str().into(), cached);
        self.entries.store(Arc::new(entries));
    }

    pub(super) fn remove(&self, slug: &Slug) {
        if self.entries.load().contains_key(slug.as_str()) {
            let mut entries = HashMap::clone(&self.entries.load());
            entries.remove(slug.as_str());
            self.entries.store(Arc::new(entries));
        }
    }
}

/// Parses the subject of the tenant with this slug; `None` if the body is not its subject.
///
/// Unknown members are ignored, because a newer server may send them.
pub(super) fn read_subject(body: &[u8], slug: &str) -> Option<SubjectDocument> {
    let Value::Object(mut members) = read_json(body, MAX_DOCUMENT_BYTES).ok()? else { return None };
    let names = ["tenantId", "tenantSlug", "plan", "partnerSlug", "environment"];
    let document: Map<String, Value> =
        names.into_iter().filter_map(|name| members.remove_entry(name)).collect();
    let subject = SubjectDocument::from_json(Value::Object(document).to_string().as_bytes()).ok()?;
    (subject.subject().value(Axis::TenantSlugs) == Some(slug)).then_some(subject)
}

/// Returns the subject of the tenant with this slug from the body of a response. For fuzz targets.
pub fn subject_of(body: &[u8], slug: &str) -> Option<SubjectDocument> {
    read_subject(body, slug)
}
