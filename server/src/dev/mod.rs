//! Development mode, `serve --dev`: the built-in identity provider and its sample data.

#[cfg(feature = "dev")]
mod sample;

use std::sync::Arc;

use axum::Router;

use crate::live::Live;
use crate::store::Store;

/// The path of the built-in issuer on this server.
const ISSUER_PATH: &str = "/dev/oidc";

/// The reason why development mode does not start.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The build lacks the cargo feature `dev`.
    #[error("--dev needs the built-in identity provider, and this build has none: build with --features dev")]
    NotBuiltIn,
    /// The identity provider rejects its issuer or has no key.
    #[cfg(feature = "dev")]
    #[error("{0}")]
    Provider(String),
    /// The data belong to a server with a real identity provider.
    #[cfg(feature = "dev")]
    #[error("the data directory holds users of another identity provider: give --dev its own --data")]
    OtherData,
    /// The sample data cannot be written.
    #[cfg(feature = "dev")]
    #[error("the sample data cannot be written: {}", .0.code())]
    Sample(crate::http::problem::Problem),
}

/// The built-in issuer of a server at this address.
pub(crate) fn issuer(address: std::net::SocketAddr) -> String {
    format!("http://{address}{ISSUER_PATH}")
}

/// Fails unless this build contains the built-in identity provider.
pub(crate) fn require_built_in() -> Result<(), DevError> {
    if cfg!(feature = "dev") { Ok(()) } else { Err(DevError::NotBuiltIn) }
}

/// Builds the identity provider's routes and adds the sample data.
#[cfg(feature = "dev")]
pub(crate) async fn start(store: &Arc<dyn Store>, live: &Live, issuer: &str) -> Result<Router, DevError> {
    use dezky_dev_identity_provider::{Provider, personas};

    let personas = personas();
    let provider = Provider::new(issuer, personas.clone());
    let provider = provider.map_err(|error| DevError::Provider(error.to_string()))?;
    if live.read().issuers().any(|issuer| !issuer.ends_with(ISSUER_PATH)) {
        return Err(DevError::OtherData);
    }
    sample::add_samples(store, live, issuer, &personas).await.map_err(DevError::Sample)?;
    Ok(provider.router())
}

/// Fails, because this build lacks the identity provider.
#[cfg(not(feature = "dev"))]
pub(crate) async fn start(_: &Arc<dyn Store>, _: &Live, _: &str) -> Result<Router, DevError> {
    Err(DevError::NotBuiltIn)
}
