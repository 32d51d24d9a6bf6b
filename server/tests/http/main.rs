//! Tests of the server binary over HTTP; each answer is checked against the OpenAPI document.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod audit;
mod audit_streams;
mod authorization;
mod commands;
mod connections;
mod contract;
mod cors;
mod delivery;
mod flags;
mod headers;
mod keys;
mod ofrep;
mod pages;
mod past;
mod plans;
mod reach;
mod refusals;
mod requests;
mod revenue;
mod rights;
mod secrecy;
mod service;
mod sign_in;
mod size;
mod subjects;
mod support;
mod tenants;
mod tls;
mod users;
mod writes;
