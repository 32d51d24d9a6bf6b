//! Delivery to instances that evaluate locally: slices, open streams, and reach.

mod error;
mod past;
mod reach;
mod slices;
mod streams;

pub use error::SliceError;
pub(crate) use reach::{FollowedRules, InstanceList, InstanceReport, Reach};
pub use slices::{Slice, SliceKey, Slices};
pub(crate) use streams::{StreamPermit, Streams};
