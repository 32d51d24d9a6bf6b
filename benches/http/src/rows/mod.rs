//! What is measured, a file for each kind.

pub mod evaluate;
pub mod idle;
pub mod list;
pub mod news;
pub mod ofrep;
pub mod snapshot;
pub mod start;
pub mod streams;
pub mod writes;
