//! Items for tests and fuzz targets. Not part of the documented API.

pub use crate::client::{Timing, announcements, fetched, subject_of};
