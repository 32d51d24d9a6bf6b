//! Decisions on request documents, for the host protocol.

use super::decide::decide_by_facts;
use super::request_document::RequestDocument;
use super::{AccessRequest, Decision};
use crate::Error;
use crate::json::Document;
use crate::limits::MAX_DOCUMENT_BYTES;

impl AccessRequest {
    /// Decides a request document without building owned values.
    pub(crate) fn decide_document(bytes: &[u8]) -> Result<Decision, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES);
        let request = RequestDocument::read(document.root());
        document.finish()?;
        Ok(decide_by_facts(&request, request.action).into())
    }
}
