//! Delivery to instances that evaluate locally: slices, open streams, and reach.

mod error;
mod past;
mod reach;
mod slices;
mod streams;

pub use error::SliceError;
pub use reach::{FollowedRules, Instance, InstanceList, InstanceReport, Reach};
pub use slices::{Slice, SliceKey, Slices};
pub use streams::{StreamPermit, Streams};
