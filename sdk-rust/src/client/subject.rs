//! The methods by which callers get subjects from a client.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::resolve::{Resolved, SubjectReply, SubjectRequest};
use super::{Client, ClientCode, ClientError};
use dezky_core::flags::SubjectDocument;
use dezky_core::names::Slug;

/// The extra wait of a blocking caller, for a client thread that is busy with a handler.
const GRACE: Duration = Duration::from_millis(100);

impl Client {
    /// Returns the subject of a tenant by its slug, as the server has it.
    ///
    /// The first call for a tenant asks the server. Later calls return the cached subject, until
    /// the server announces that a tenant or a partner changed; the next call then asks again. If
    /// the server does not answer, the last subject is returned.
    ///
    /// # Errors
    ///
    /// [`InvalidSlug`](ClientCode::InvalidSlug) and [`UnknownTenant`](ClientCode::UnknownTenant)
    /// are final. Any other code is the reason why the server could not be asked about a tenant
    /// that is not cached. Within a handler the client's thread cannot ask, so only cached subjects
    /// are returned.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let options = ConnectOptions::new("https://flags.example", "dzk_example");
    /// # let client = Client::connect(options)?;
    /// let acme = client.subject("acme")?;
    /// let enabled = client.is_enabled("jmap_native_v2", &acme.subject());
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn subject(&self, slug: &str) -> Result<Arc<SubjectDocument>, ClientError> {
        let (reply, replied) = mpsc::sync_channel(1);
        let slug = read(slug)?;
        if let Some(resolved) = self.resolve(&slug, Box::new(move |resolved| drop(reply.send(resolved)))) {
            return resolved;
        }
        let timing = &self.settings.timing;
        let cached = self.shared.subjects.get(&slug);
        let limit = if cached.is_some() { timing.subject_patience } else { timing.request_timeout };
        replied.recv_timeout(limit.saturating_add(GRACE)).unwrap_or_else(|_| self.last_subject(&slug))
    }

    /// Like [`subject`](Client::subject), but asynchronous and for any executor.
    pub async fn subject_async(&self, slug: &str) -> Result<Arc<SubjectDocument>, ClientError> {
        let (reply, replied) = tokio::sync::oneshot::channel();
        let slug = read(slug)?;
        match self.resolve(&slug, Box::new(move |resolved| drop(reply.send(resolved)))) {
            Some(resolved) => resolved,
            None => replied.await.unwrap_or_else(|_| self.last_subject(&slug)),
        }
    }

    /// Returns the subject if it is available at once; `None` if the thread will reply.
    fn resolve(&self, slug: &Slug, reply: SubjectReply) -> Option<Resolved> {
        let subjects = &self.shared.subjects;
        if let Some(cached) = subjects.get(slug)
            && (subjects.is_fresh(&cached) || self.shared.phase().is_away())
        {
            return Some(Ok(cached.subject.clone()));
        }
        let request = SubjectRequest { slug: slug.clone(), reply };
        let lifecycle = self.lifecycle();
        match lifecycle.worker.as_ref().is_some_and(|worker| worker.request_subject(request)) {
            true => None,
            false => Some(self.last_subject(slug)),
        }
    }

    fn last_subject(&self, slug: &Slug) -> Resolved {
        match self.shared.subjects.get(slug) {
            Some(cached) => Ok(cached.subject.clone()),
            None => Err(ClientError::new(
                ClientCode::Unreachable,
                "the server cannot be asked about this tenant now",
            )),
        }
    }
}

fn read(slug: &str) -> Result<Slug, ClientError> {
    Slug::new(slug).map_err(|_| {
        let message = "a slug is 1 to 63 of a-z, 0-9 and -, and begins and ends with a letter or digit";
        ClientError::slug(ClientCode::InvalidSlug, message)
    })
}
