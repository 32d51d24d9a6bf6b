//! The names that most services need: `use dezky::prelude::*`.

pub use crate::{Client, ClientError, ClientEvent, ConnectOptions};
pub use dezky_core::prelude::*;
