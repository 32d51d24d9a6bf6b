//! The reference server: the control plane of a platform with verified identity and a durable
//! store.

pub mod app;
pub mod check;
pub mod config;
pub mod delivery;
pub(crate) mod dev;
mod histogram;
pub mod http;
pub mod identity;
pub mod keys;
pub mod live;
pub mod routes;
pub mod seeds;
pub mod serve;
pub mod store;
