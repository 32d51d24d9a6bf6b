//! A question about access as a document.

use super::{Action, Decision, Principal, Resource, decide};
use crate::Error;
use crate::json::{Decode, Object, Problems, Value, decode_bytes};
use crate::limits::MAX_DOCUMENT_BYTES;

/// `{ principal, action, resource }`: what every SDK's `can` asks.
///
/// ```
/// use dezky_core::{AccessReason, AccessRequest};
/// let request = AccessRequest::from_json(br#"{
///     "principal": { "key": { "kind": "server" } }, "action": "snapshot.read", "resource": {}
/// }"#)?;
/// assert_eq!(request.decide().reason, AccessReason::AllowedKey);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// Who asks.
    pub principal: Principal,
    /// What they want to do.
    pub action: Action,
    /// What it is about.
    pub resource: Resource,
}

impl AccessRequest {
    /// Reads a question strictly: an unknown word, or a part that the action needs and that is missing, is an error and never a decision.
    ///
    /// ```
    /// use dezky_core::{AccessRequest, Code};
    /// let error = AccessRequest::from_json(br#"{
    ///     "principal": { "key": { "kind": "server" } }, "action": "tenant.read", "resource": {}
    /// }"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::Missing, "/resource/tenantId"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<AccessRequest, Error> {
        decode_bytes(bytes, MAX_DOCUMENT_BYTES)
    }

    /// The answer.
    ///
    /// ```
    /// # use dezky_core::{AccessRequest, AccessReason};
    /// # let request = AccessRequest::from_json(br#"{
    /// #     "principal": { "key": { "kind": "server" } }, "action": "key.list" }"#)?;
    /// assert_eq!(request.decide().reason, AccessReason::DeniedKeyScope);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn decide(&self) -> Decision {
        decide(&self.principal, self.action, &self.resource)
    }
}

impl Decode for AccessRequest {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<AccessRequest> {
        let object = value.object(problems)?;
        let principal = object.required("principal", problems);
        let action: Option<Action> = object.required("action", problems);
        let resource = object.or_default("resource", problems);
        if let Some(action) = action {
            check_needs(action, object, problems);
        }
        Some(AccessRequest { principal: principal?, action: action?, resource: resource? })
    }
}

fn check_needs(action: Action, request: Object<'_>, problems: &mut Problems) {
    for (needed, name) in [(action.needs_tenant(), "tenantId"), (action.needs_user(), "userId")] {
        if needed {
            request.require_within("resource", name, problems);
        }
    }
}
