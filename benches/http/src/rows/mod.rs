//! What is measured, a file for each kind.

pub mod evaluate;
pub mod idle;
pub mod list;
pub mod start;
pub mod writes;
