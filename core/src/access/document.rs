//! Decisions on request documents without owned values, for hosts.

use super::decide::decide_case;
use super::question::Question;
use super::{AccessRequest, Decision};
use crate::Error;
use crate::json::Document;
use crate::limits::MAX_DOCUMENT_BYTES;

impl AccessRequest {
    /// Decides a request document without building owned values.
    pub(crate) fn decide_document(bytes: &[u8]) -> Result<Decision, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES);
        let question = Question::read(document.root());
        document.finish()?;
        Ok(decide_case(&question, question.action()).into())
    }
}
