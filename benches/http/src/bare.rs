//! What every row stands beside: an axum handler that returns fixed bytes, in a process of its own.

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

/// The word on the command line that makes this program the bare handler.
pub const COMMAND: &str = "bare-handler";

/// The paths that are measured.
const PATHS: [&str; 5] = [
    "/flags/evaluate",
    "/tenants",
    "/flags/snapshot",
    "/ofrep/v1/evaluate/flags",
    "/ofrep/v1/evaluate/flags/{key}",
];

/// Serves a status and a body of so many bytes at all of them, until killed. Says its address on the first line of its output.
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
        // Without it an answer may only be later, never wrong.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
