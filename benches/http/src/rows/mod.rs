//! The measured rows, one module for each group.

pub mod evaluate;
pub mod idle;
pub mod list;
pub mod news;
pub mod ofrep;
pub mod snapshot;
pub mod start;
pub mod streams;
pub mod writes;
