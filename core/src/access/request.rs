//! The access request: a principal, an action and a resource (specification section 13.1).

use super::request_document::RequestDocument;
use super::{Action, Decision, Principal, Resource, decide};
use crate::Error;
use crate::json::Document;
use crate::limits::MAX_DOCUMENT_BYTES;

/// A request for a decision: `{ principal, action, resource? }`. `can` of every SDK takes this
/// document.
///
/// ```
/// use dezky_core::access::{AccessReason, AccessRequest};
/// let request = AccessRequest::from_json(br#"{
///     "principal": { "key": { "kind": "server" } }, "action": "snapshot.read", "resource": {}
/// }"#)?;
/// assert_eq!(request.decide().reason, AccessReason::AllowedKey);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// The caller whose rights are decided.
    pub principal: Principal,
    /// The action that the principal asks for.
    pub action: Action,
    /// The tenant or user that the action concerns.
    pub resource: Resource,
}

impl AccessRequest {
    /// Reads a request document. An unknown action, and a part that the action needs but the
    /// resource lacks, are errors and never a decision.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::access::AccessRequest;
    /// let error = AccessRequest::from_json(br#"{
    ///     "principal": { "key": { "kind": "server" } }, "action": "tenant.read", "resource": {}
    /// }"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::Missing, "/resource/tenantId"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<AccessRequest, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES);
        let request = RequestDocument::read(document.root());
        document.finish()?;
        Ok(request.to_request())
    }

    /// Decides the request, as [`decide`] does.
    pub fn decide(&self) -> Decision {
        decide(&self.principal, self.action, &self.resource)
    }
}
