//! The names that most services need: `use dezky::prelude::*`.

pub use crate::{Client, ClientCode, ClientError, ClientEvent, ClientStatus, ConnectOptions, PastDeadline};
pub use dezky_core::prelude::*;
