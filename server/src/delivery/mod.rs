//! What leaves the server for instances that evaluate by themselves: snapshots, slices, news of them, and who has which.

mod history;
mod news;
mod reach;
mod release;
mod slices;
mod streams;

pub use history::{FlagChange, Past};
pub use news::{News, Subscription};
pub use reach::{Heard, Instance, Reach, Watching};
pub use release::{Coding, Mark, Release, Releases};
pub use slices::{Slice, SliceError, Slices, Whose};
pub use streams::{Place, Streams};
