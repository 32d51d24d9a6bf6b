//! How a request becomes an answer.

pub mod authorize;
pub mod call;
pub mod caller;
pub mod connection;
pub mod cursor;
pub mod document;
pub mod etag;
pub mod limiter;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod operation;
pub mod pipeline;
pub mod problem;
pub mod query;
pub mod reply;
pub mod router;
