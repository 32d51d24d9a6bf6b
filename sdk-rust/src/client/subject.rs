//! Subjects, as callers ask a client for them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::resolve::{Ask, Resolved};
use super::{Client, ClientCode, ClientError};
use dezky_core::flags::SubjectDocument;
use dezky_core::names::Slug;

/// A handler may hold the client's thread up; that is not waited for longer than this.
const GRACE: Duration = Duration::from_millis(100);

impl Client {
    /// The subject of a tenant by its slug, as the server has it. The first call for a tenant asks the server. Later ones are answered from
    /// memory, until the server says that a tenant or a partner has changed; the next call then asks again. If the server does not answer, the
    /// last known subject is handed out.
    ///
    /// Errors have the code [`InvalidSlug`](ClientCode::InvalidSlug) or [`UnknownTenant`](ClientCode::UnknownTenant), or say why the
    /// server could not be asked about a tenant that is not known yet. From within a handler nothing can be asked.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// let acme = client.subject("acme")?;
    /// let enabled = client.is_enabled("jmap_native_v2", &acme.subject());
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn subject(&self, slug: &str) -> Result<Arc<SubjectDocument>, ClientError> {
        let (tell, told) = mpsc::sync_channel(1);
        let slug = read(slug)?;
        if let Some(resolved) = self.resolve(&slug, Box::new(move |resolved| drop(tell.send(resolved)))) {
            return resolved;
        }
        let timing = &self.settings.timing;
        let known = self.shared.subjects.get(&slug);
        let patience = if known.is_some() { timing.subject_patience } else { timing.request_timeout };
        told.recv_timeout(patience.saturating_add(GRACE)).unwrap_or_else(|_| self.last_known(&slug))
    }

    /// Like [`subject`](Client::subject) without blocking, in any executor.
    ///
    /// ```no_run
    /// # use dezky::{Client, ClientError};
    /// # async fn answer(client: &Client) -> Result<(), ClientError> {
    /// let acme = client.subject_async("acme").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn subject_async(&self, slug: &str) -> Result<Arc<SubjectDocument>, ClientError> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let slug = read(slug)?;
        match self.resolve(&slug, Box::new(move |resolved| drop(tell.send(resolved)))) {
            Some(resolved) => resolved,
            None => told.await.unwrap_or_else(|_| self.last_known(&slug)),
        }
    }

    /// What can be said at once; `None` if the thread will reply.
    fn resolve(&self, slug: &Slug, reply: Box<dyn FnOnce(Resolved) + Send>) -> Option<Resolved> {
        let subjects = &self.shared.subjects;
        if let Some(known) = subjects.get(slug)
            && (subjects.is_fresh(&known) || self.shared.is_away.load(Ordering::Acquire))
        {
            return Some(Ok(known.subject.clone()));
        }
        let ask = Ask { slug: slug.clone(), reply };
        let life = self.life();
        match life.worker.as_ref().is_some_and(|worker| worker.ask(ask)) {
            true => None,
            false => Some(self.last_known(slug)),
        }
    }

    fn last_known(&self, slug: &Slug) -> Resolved {
        match self.shared.subjects.get(slug) {
            Some(known) => Ok(known.subject.clone()),
            None => Err(ClientError::new(
                ClientCode::Unreachable,
                "the server cannot be asked about this tenant now",
            )),
        }
    }
}

fn read(slug: &str) -> Result<Slug, ClientError> {
    Slug::new(slug).map_err(|_| {
        let message = "a slug is 1 to 63 of a-z, 0-9 and -, a letter or digit first and last";
        ClientError::slug(ClientCode::InvalidSlug, message)
    })
}
