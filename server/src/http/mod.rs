//! How a request becomes an answer.

pub mod authorize;
pub mod call;
pub mod caller;
pub mod connection;
pub mod context;
mod cors;
mod cursor;
pub mod document;
pub mod etag;
pub mod follow;
pub mod instance;
pub mod limiter;
pub mod limits;
pub mod link;
pub mod metrics;
mod ofrep;
pub mod openapi;
pub mod operation;
pub mod pipeline;
pub mod problem;
pub mod query;
pub mod reply;
mod request_id;
pub mod router;
pub mod seal;
mod seen;
