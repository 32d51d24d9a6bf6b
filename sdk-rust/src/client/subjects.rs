//! Subjects of tenants, as the server has them: cached, and asked for again when the population has moved.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;

use dezky_core::flags::SubjectDocument;
use dezky_core::json::read_json;
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::names::Slug;
use serde_json::{Map, Value};

/// As many subjects are kept. One takes some hundred bytes.
const MAX_SUBJECTS: usize = 4_096;

/// A subject as the server last gave it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) subject: Arc<SubjectDocument>,
    /// The answer's tag, for `If-None-Match`.
    pub(super) tag: Option<String>,
    /// The generation in which the server was asked.
    pub(super) generation: u64,
    /// After a failure: no earlier than this is the server asked again.
    pub(super) pause_until: Option<Instant>,
    /// Larger for subjects that were stored later.
    order: u64,
}

/// The cache. Only the client's thread writes, and nothing is behind a lock, so that a process may fork at any time.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    kept: ArcSwap<HashMap<Arc<str>, Arc<Kept>>>,
    /// Counts how often the population has moved; 0 as long as the server has not said where it stands.
    generation: AtomicU64,
    order: AtomicU64,
}

impl Subjects {
    pub(super) fn get(&self, slug: &Slug) -> Option<Arc<Kept>> {
        self.kept.load().get(slug.as_str()).cloned()
    }

    /// Whether this subject need not be asked for again.
    pub(super) fn is_fresh(&self, kept: &Kept) -> bool {
        kept.generation != 0 && kept.generation == self.generation()
            || kept.pause_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// A tenant or a partner has changed: every subject is asked for again before it is next handed out.
    pub(super) fn expire(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn put(
        &self,
        slug: &Slug,
        subject: Arc<SubjectDocument>,
        tag: Option<String>,
        generation: u64,
        pause_until: Option<Instant>,
    ) {
        let order = self.order.fetch_add(1, Ordering::Relaxed);
        let kept = Arc::new(Kept { subject, tag, generation, pause_until, order });
        let mut all = HashMap::clone(&self.kept.load());
        if all.len() >= MAX_SUBJECTS && !all.contains_key(slug.as_str()) {
            let oldest = all.iter().min_by_key(|(_, kept)| kept.order).map(|(slug, _)| slug.clone());
            oldest.and_then(|slug| all.remove(&slug));
        }
        all.insert(slug.as_str().into(), kept);
        self.kept.store(Arc::new(all));
    }

    pub(super) fn remove(&self, slug: &Slug) {
        if self.kept.load().contains_key(slug.as_str()) {
            let mut all = HashMap::clone(&self.kept.load());
            all.remove(slug.as_str());
            self.kept.store(Arc::new(all));
        }
    }
}

/// The subject of this tenant in an answer. Members that this version does not know are ignored.
pub(super) fn read_subject(body: &[u8], slug: &str) -> Option<SubjectDocument> {
    let Value::Object(mut answer) = read_json(body, MAX_DOCUMENT_BYTES).ok()? else { return None };
    let names = ["tenantId", "tenantSlug", "plan", "partnerSlug", "environment"];
    let known: Map<String, Value> = names.into_iter().filter_map(|name| answer.remove_entry(name)).collect();
    let subject = SubjectDocument::from_json(Value::Object(known).to_string().as_bytes()).ok()?;
    (subject.subject().value(dezky_core::flags::Axis::TenantSlugs) == Some(slug)).then_some(subject)
}
