//! The bare handler: an axum handler that returns fixed bytes, in its own process.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::Failure;

/// The command of this program that runs the bare handler.
pub const COMMAND: &str = "bare-handler";

/// The paths that are measured.
const PATHS: [&str; 5] = [
    "/flags/evaluate",
    "/tenants",
    "/flags/snapshot",
    "/ofrep/v1/evaluate/flags",
    "/ofrep/v1/evaluate/flags/{key}",
];

/// Serves a status and a body of the given size on all paths until it is killed.
///
/// The first line of its output is its address.
pub async fn serve(status: StatusCode, bytes: usize) -> Result<(), Failure> {
    let body = Bytes::from(vec![b'x'; bytes]);
    let fixed = any(move || {
        let body = body.clone();
        async move { (status, [(CONTENT_TYPE, "application/json")], body) }
    });
    let router = PATHS.iter().fold(Router::new(), |router, path| router.route(path, fixed.clone()));
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let listener = listener.tap_io(|stream| {
        // A failure here only delays answers.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
