//! What a handler gets, and how it writes.

use std::sync::Arc;

use axum::extract::RawPathParams;
use axum::http::header::IF_NONE_MATCH;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use dezky_core::{Action, Actor, Id, Timestamp};
use serde_json::{Map, Value};

use super::authorize::{Bound, Named, Target, authorize, refuse_early};
use super::caller::{Caller, Who};
use super::context::Context;
use super::cursor::{cursor, position};
use super::etag::{etag, is_known, judge_conditions};
use super::problem::Problem;
use super::query::Query;
use super::reply::Reply;
use crate::app::{App, now};
use crate::store::{PageStart, Receipt, RecordChange, Require, Write, WriteError};

/// How often a write is tried again because its caller's rights have changed in the meantime.
const ATTEMPTS: usize = 8;

/// A request that its caller may make.
pub struct Call {
    /// The server.
    pub app: Arc<App>,
    /// Who.
    pub caller: Caller,
    /// Which route.
    pub route: &'static str,
    /// What the request is to the authorization rules, and what that is bound to.
    pub asked: (Action, Bound),
    /// About what.
    pub target: Target,
    /// When.
    pub now: Timestamp,
    /// The parts of the path that vary.
    pub path: RawPathParams,
    /// The query.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's members.
    pub body: Map<String, Value>,
    /// The evaluation's context, where the body is one.
    pub context: Context,
    /// The idempotency key, and what was asked under it.
    pub key: Option<Arc<IdempotencyKey>>,
}

/// A caller's name for one request, so that it has one effect however often it is sent.
#[derive(Debug)]
pub struct IdempotencyKey {
    /// Whose it is.
    pub holder: String,
    /// The name.
    pub key: String,
    /// SHA-256 of method, path, query and body.
    pub fingerprint: String,
}

impl Call {
    /// A part of the path.
    pub fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// The id of the tenant that this is about.
    pub fn tenant_id(&self) -> Result<Id, Problem> {
        self.target.tenant.as_ref().map(|tenant| tenant.id.clone()).ok_or_else(Problem::not_found)
    }

    /// Judges `If-Match` and `If-None-Match` against the record as it stands.
    pub fn judge_version(&self, revisioned: dezky_core::Revisioned) -> Result<(), Problem> {
        judge_conditions(&self.headers, &etag(revisioned))
    }

    /// Where the page starts, if not at the beginning.
    pub fn after(&self) -> Result<Option<PageStart>, Problem> {
        self.query.get("cursor").map(|cursor| position(&self.app.seal, &self.question(), cursor)).transpose()
    }

    /// A page: the items, one more of which were read than are shown, and the cursor of the next page if that one was there.
    pub fn page<T>(
        &self,
        mut items: Vec<T>,
        position: impl Fn(&T) -> PageStart,
    ) -> Result<(Vec<T>, Option<String>), Problem> {
        let limit = self.query.limit()?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more);
        let cursor = last.map(|last| cursor(&self.app.seal, &self.question(), &position(last)));
        Ok((items, cursor))
    }

    fn question(&self) -> String {
        let path: Vec<&str> = self.path.iter().map(|(_, value)| value).collect();
        let kind = if self.caller.is_platform_admin() { "all" } else { self.caller.id().unwrap_or_default() };
        self.query.question(&format!("{} {}", self.route, path.join("/")), kind)
    }

    /// Writes, and answers; or answers what was answered before under the same idempotency key.
    pub async fn write(
        &self,
        entries: Vec<RecordChange>,
        requires: Vec<Require>,
        reply: Reply,
    ) -> Result<Reply, Problem> {
        let touches_effects = entries.iter().any(RecordChange::touches_effects);
        // Not while somebody is being promised an effect.
        let _shared = match touches_effects {
            true => Some(self.app.effects.read().await),
            false => None,
        };
        self.write_alone(entries, requires, reply).await
    }

    /// The same for whoever holds `App::effects` alone.
    ///
    /// The write is conditional on the rights that it was decided with. If they have changed, it is decided anew: refused as the caller would be
    /// now, or tried again with the rights that allow it now.
    pub async fn write_alone(
        &self,
        entries: Vec<RecordChange>,
        requires: Vec<Require>,
        reply: Reply,
    ) -> Result<Reply, Problem> {
        let mut rights = self.caller.rights();
        for _ in 0..ATTEMPTS {
            let write = Write {
                at: self.now,
                actor: self.actor(),
                entries: entries.clone(),
                requires: rights.into_iter().chain(requires.iter().cloned()).collect(),
                receipt: self.receipt(&reply),
                key_uses: Vec::new(),
            };
            match self.app.store.write(write).await {
                Ok(_) => return Ok(reply),
                Err(WriteError::Unmet(Require::Actor(..))) => rights = self.decided_anew().await?.rights(),
                Err(WriteError::Received(receipt)) => {
                    return match &self.key {
                        Some(key) => key.replay(*receipt),
                        None => Err(WriteError::Received(receipt).into()),
                    };
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::conflict("busy", "", "The caller's rights are being changed too often: try again"))
    }

    /// The caller as they are now, if they may still do this.
    async fn decided_anew(&self) -> Result<Caller, Problem> {
        let caller = self.caller.anew(&self.app, now()?).ok_or_else(|| self.caller.lapsed())?;
        refuse_early(&caller.principal, self.asked.0)?;
        let Call { path, query, body, context, .. } = self;
        authorize(&self.app, &caller.principal, self.asked, Named { path, query, body, context }).await?;
        Ok(caller)
    }

    /// Who the log says it was. An address that is not verified names nobody.
    pub fn actor(&self) -> Actor {
        match &self.caller.who {
            Who::Person { known: Some(known), .. } | Who::Linked { known, .. } => {
                Actor { id: Some(known.record.id.clone()), email: known.email.clone() }
            }
            Who::Person { claims, known: None } => {
                let email = claims.email.clone().filter(|_| claims.email_verified == Some(true));
                Actor { id: None, email }
            }
            Who::Key(_) => Actor::default(),
        }
    }

    /// Whether the reader has what this tag names.
    pub fn is_known(&self, etag: &str) -> bool {
        is_known(self.headers.get_all(IF_NONE_MATCH), etag)
    }

    fn receipt(&self, reply: &Reply) -> Option<Receipt> {
        let IdempotencyKey { holder, key, fingerprint } = self.key.as_deref()?;
        Some(Receipt {
            holder: holder.clone(),
            key: key.clone(),
            fingerprint: fingerprint.clone(),
            at: self.now,
            status: reply.status.as_u16(),
            etag: reply.etag.as_ref().and_then(|tag| tag.to_str().ok()).map(str::to_owned),
            location: reply.location.clone(),
            body: String::from_utf8_lossy(reply.kept_body()).into_owned(),
        })
    }
}

impl IdempotencyKey {
    /// What was answered under this key before, if something was.
    pub async fn answered_before(&self, app: &App) -> Result<Option<Result<Reply, Problem>>, Problem> {
        let receipt = app.store.receipt(&self.holder, &self.key).await?;
        Ok(receipt.map(|receipt| self.replay(receipt)))
    }

    /// Answers what a receipt says, if it is for this very request.
    fn replay(&self, receipt: Receipt) -> Result<Reply, Problem> {
        if self.fingerprint != receipt.fingerprint {
            return Err(Problem::invalid(
                "Idempotency-Key",
                "idempotency_key_reused",
                "This idempotency key was used for another request",
            ));
        }
        let status = StatusCode::from_u16(receipt.status).unwrap_or(StatusCode::OK);
        let etag = receipt.etag.and_then(|tag| HeaderValue::try_from(tag).ok());
        Ok(Reply { status, etag, location: receipt.location, ..Reply::text(receipt.body) })
    }
}
