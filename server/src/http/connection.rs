//! Connections: how many, how slow, and how they end.

use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::limits::{HEADER_TIMEOUT, MAX_CONNECTION_BUFFER, SHUTDOWN_TIMEOUT, WRITE_TIMEOUT};
use super::places::{Ending, Places};
use super::refusals::RefusalLog;
use super::steady::Steady;

/// How connections are served.
pub struct Front {
    /// Answers the requests.
    pub router: Router,
    /// The places for connections.
    pub places: Arc<Places>,
    /// Which refused connections are logged.
    pub refusals: Arc<RefusalLog>,
    /// How long connections are waited for.
    pub patience: Patience,
}

/// How long connections are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a request's headers, and for the next request of a connection.
    pub headers: Duration,
    /// For a peer to read while answers wait to be sent.
    pub write: Duration,
    /// For what is under way when the server stops.
    pub shutdown: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { headers: HEADER_TIMEOUT, write: WRITE_TIMEOUT, shutdown: SHUTDOWN_TIMEOUT }
    }
}

/// Serves until told to stop; then lets what is under way finish, for a while.
pub async fn serve(listener: TcpListener, front: Front, stop: impl Future<Output = ()>) {
    let front = Arc::new(front);
    let stopping = watch::Sender::new(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &front.places) => accepted,
            () = &mut stop => break,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let Some(place) = front.places.place(peer.ip(), permit) else {
            front.places.end(Ending::TooMany);
            if front.refusals.admits(peer.ip(), Instant::now()) {
                let address = peer.ip();
                tracing::info!(%address, "a connection was refused: its address has as many as it may have");
            }
            continue;
        };
        let (front, stopping) = (Arc::clone(&front), stopping.subscribe());
        tokio::spawn(async move {
            converse(&front, stream, peer, stopping).await;
            drop(place);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(front.patience.shutdown, front.places.all_given_back()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were dropped");
    }
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Places) -> Option<Accepted> {
    let permit = places.free().await?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // Usually the limit of open files: others must close first.
            tracing::warn!(%error, "a connection cannot be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Answers the requests of one connection.
async fn converse(front: &Front, stream: TcpStream, peer: SocketAddr, stopping: watch::Receiver<bool>) {
    let stream = Steady::new(stream, front.patience.write);
    let router = front.router.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        hyper::service::Service::call(&TowerToHyperService::new(router.clone()), request)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(front.patience.headers)
        .max_buf_size(MAX_CONNECTION_BUFFER);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if until_over(connection, stopping).await.is_err_and(|error| is_unread(&error)) {
        front.places.end(Ending::Unread);
    }
}

/// Reports whether a connection failed because its peer did not read.
fn is_unread(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
}

/// Drives a connection until it ends. When the server stops, the connection takes no more requests.
async fn until_over<C: GracefulConnection>(
    connection: C,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), C::Error> {
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
