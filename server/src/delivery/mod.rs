//! For instances that evaluate by themselves: what of the flags each tenant sees, who follows it, and who has which.

mod past;
mod reach;
mod slices;
mod streams;

pub use reach::{Heard, Instance, Instances, Reach, Watching};
pub use slices::{Slice, SliceError, Slices, Whose};
pub use streams::{Place, Streams};
