//! The authorized request that a handler receives, and the writes that it makes.

use std::sync::Arc;

use axum::extract::RawPathParams;
use axum::http::header::IF_NONE_MATCH;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use dezky_core::Timestamp;
use dezky_core::access::Action;
use dezky_core::model::Actor;
use dezky_core::names::Id;
use serde_json::{Map, Value};

use super::authorize::{Bound, RequestData, Target, authorize, refuse_early};
use super::caller::{Caller, CallerKind};
use super::context::Context;
use super::cursor::{cursor, position};
use super::etag::{check_conditions, etag, is_known};
use super::problem::Problem;
use super::query::Query;
use super::reply::Reply;
use crate::app::{App, now};
use crate::store::{PageStart, Receipt, RecordChange, Require, Write, WriteError};

/// The number of attempts when the caller's rights change during a write.
const ATTEMPTS: usize = 8;

/// An authorized request with its parsed parts.
pub struct Call {
    pub app: Arc<App>,
    pub caller: Caller,
    /// The path template of the operation, such as `/flags/{key}`.
    pub route: &'static str,
    /// The action that was authorized, and the resource that it is bound to.
    pub access: (Action, Bound),
    /// The tenant or user that the request is about.
    pub target: Target,
    /// The time at which the caller was authenticated.
    pub now: Timestamp,
    /// The variable parts of the path.
    pub path: RawPathParams,
    pub query: Query,
    pub headers: HeaderMap,
    /// The members of the JSON body.
    pub body: Map<String, Value>,
    /// The evaluation context, if the operation takes one.
    pub context: Context,
    /// The idempotency key with the fingerprint of the request.
    pub key: Option<Arc<IdempotencyKey>>,
}

/// The name that a client gives to one request, so that repeating it has no second effect.
#[derive(Debug)]
pub struct IdempotencyKey {
    /// The caller that the key belongs to.
    pub holder: String,
    /// The value of the `Idempotency-Key` header.
    pub key: String,
    /// The SHA-256 of method, path, query and body.
    pub fingerprint: String,
}

impl Call {
    /// Returns a variable part of the path.
    pub fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// Returns the id of the tenant that the request is about.
    pub fn tenant_id(&self) -> Result<Id, Problem> {
        self.target.tenant.as_ref().map(|tenant| tenant.id.clone()).ok_or_else(Problem::not_found)
    }

    /// Checks `If-Match` and `If-None-Match` against the current version of the record.
    pub fn check_version(&self, revisioned: dezky_core::model::Revisioned) -> Result<(), Problem> {
        check_conditions(&self.headers, &etag(revisioned))
    }

    /// Returns the position after which the page starts, if the query has a cursor.
    pub fn after(&self) -> Result<Option<PageStart>, Problem> {
        self.query
            .get("cursor")
            .map(|cursor| position(&self.app.seal, &self.cursor_context(), cursor))
            .transpose()
    }

    /// Cuts a list to the page limit. The caller reads one item more than the limit; if that item
    /// exists, the page gets a cursor.
    pub fn page<T>(
        &self,
        mut items: Vec<T>,
        position: impl Fn(&T) -> PageStart,
    ) -> Result<(Vec<T>, Option<String>), Problem> {
        let limit = self.query.limit()?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more);
        let cursor = last.map(|last| cursor(&self.app.seal, &self.cursor_context(), &position(last)));
        Ok((items, cursor))
    }

    fn cursor_context(&self) -> String {
        let path: Vec<&str> = self.path.iter().map(|(_, value)| value).collect();
        let kind = if self.caller.is_platform_admin() { "all" } else { self.caller.id().unwrap_or_default() };
        self.query.cursor_context(&format!("{} {}", self.route, path.join("/")), kind)
    }

    /// Commits the changes and returns the reply, or replays the stored reply of the idempotency
    /// key.
    pub async fn write(
        &self,
        changes: Vec<RecordChange>,
        requires: Vec<Require>,
        reply: Reply,
    ) -> Result<Reply, Problem> {
        let touches_effects = changes.iter().any(RecordChange::touches_effects);
        // Waits while a PATCH with `planDigest` commits its promised effect.
        let _shared = match touches_effects {
            true => Some(self.app.effects.read().await),
            false => None,
        };
        self.write_exclusively(changes, requires, reply).await
    }

    /// Like `write`, for callers that hold `App::effects` exclusively.
    ///
    /// The write requires the rights that it was authorized with. If they changed, the call is
    /// authorized again: it is then refused, or retried with the new rights.
    pub async fn write_exclusively(
        &self,
        changes: Vec<RecordChange>,
        requires: Vec<Require>,
        reply: Reply,
    ) -> Result<Reply, Problem> {
        let mut rights = self.caller.rights();
        for _ in 0..ATTEMPTS {
            let write = Write {
                at: self.now,
                actor: self.actor(),
                entries: changes.clone(),
                requires: rights.into_iter().chain(requires.iter().cloned()).collect(),
                receipt: self.receipt(&reply),
                key_uses: Vec::new(),
            };
            match self.app.store.write(write).await {
                Ok(_) => return Ok(reply),
                Err(WriteError::Unmet(Require::Actor(..))) => {
                    rights = self.authorized_again().await?.rights()
                }
                Err(WriteError::Received(receipt)) => {
                    return match &self.key {
                        Some(key) => key.replay(*receipt),
                        None => Err(WriteError::Received(receipt).into()),
                    };
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::conflict("busy", "", "The caller's rights keep changing: try again"))
    }

    /// Authorizes the call again with the current rights of the caller.
    async fn authorized_again(&self) -> Result<Caller, Problem> {
        let caller =
            self.caller.refreshed(&self.app, now()?).ok_or_else(|| self.caller.credential_expired())?;
        refuse_early(&caller.principal, self.access.0)?;
        let Call { path, query, body, context, .. } = self;
        authorize(&self.app, &caller.principal, self.access, RequestData { path, query, body, context })
            .await?;
        Ok(caller)
    }

    /// Returns the actor for the change log. An unverified address is left out.
    pub fn actor(&self) -> Actor {
        match &self.caller.kind {
            CallerKind::Person { entry: Some(entry), .. } | CallerKind::Linked { entry, .. } => {
                Actor { id: Some(entry.record.id.clone()), email: entry.email.clone() }
            }
            CallerKind::Person { claims, entry: None } => {
                let email = claims.email.clone().filter(|_| claims.email_verified == Some(true));
                Actor { id: None, email }
            }
            CallerKind::Key(_) => Actor::default(),
        }
    }

    /// Reports whether `If-None-Match` names this tag.
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
    /// Returns the reply that is stored under this key, if any.
    pub async fn answered_before(&self, app: &App) -> Result<Option<Result<Reply, Problem>>, Problem> {
        let receipt = app.store.receipt(&self.holder, &self.key).await?;
        Ok(receipt.map(|receipt| self.replay(receipt)))
    }

    /// Returns the reply of a receipt, if it belongs to the same request.
    fn replay(&self, receipt: Receipt) -> Result<Reply, Problem> {
        if self.fingerprint != receipt.fingerprint {
            return Err(Problem::invalid(
                "Idempotency-Key",
                "idempotency_key_reused",
                "This idempotency key belongs to another request",
            ));
        }
        let status = StatusCode::from_u16(receipt.status).unwrap_or(StatusCode::OK);
        let etag = receipt.etag.and_then(|tag| HeaderValue::try_from(tag).ok());
        Ok(Reply { status, etag, location: receipt.location, ..Reply::text(receipt.body) })
    }
}
