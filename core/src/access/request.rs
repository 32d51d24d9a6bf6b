//! A question about access as a document.

use super::question::Question;
use super::{Action, Decision, Principal, Resource, decide};
use crate::Error;
use crate::json::Document;
use crate::limits::MAX_DOCUMENT_BYTES;

/// `{ principal, action, resource }`: what every SDK's `can` asks.
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
    /// use dezky_core::Code;
    /// use dezky_core::access::AccessRequest;
    /// let error = AccessRequest::from_json(br#"{
    ///     "principal": { "key": { "kind": "server" } }, "action": "tenant.read", "resource": {}
    /// }"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::Missing, "/resource/tenantId"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<AccessRequest, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES);
        let question = Question::read(document.root());
        document.finish()?;
        Ok(question.to_request())
    }

    /// The answer.
    ///
    /// ```
    /// # use dezky_core::access::{AccessReason, AccessRequest};
    /// # let request = AccessRequest::from_json(br#"{
    /// #     "principal": { "key": { "kind": "server" } }, "action": "key.list" }"#)?;
    /// assert_eq!(request.decide().reason, AccessReason::DeniedKeyScope);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn decide(&self) -> Decision {
        decide(&self.principal, self.action, &self.resource)
    }
}
