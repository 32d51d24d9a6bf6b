//! Connections: how many, how slow, and how they end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::converse::converse;
use super::limits::{HANDSHAKE_TIMEOUT, HEADER_TIMEOUT, IDLE_TIMEOUT, SHUTDOWN_TIMEOUT, WRITE_TIMEOUT};
use super::places::{Ending, Places};
use super::refusals::RefusalLog;
use super::tls::Tls;

/// How connections are served.
pub struct Front {
    /// Answers the requests.
    pub router: Router,
    /// The certificate; without one, connections are plain.
    pub tls: Option<Arc<Tls>>,
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
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For anything to move on a connection of HTTP/2.
    pub idle: Duration,
    /// For a peer to read while answers wait to be sent.
    pub write: Duration,
    /// For what is under way when the server stops.
    pub shutdown: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            headers: HEADER_TIMEOUT,
            handshake: HANDSHAKE_TIMEOUT,
            idle: IDLE_TIMEOUT,
            write: WRITE_TIMEOUT,
            shutdown: SHUTDOWN_TIMEOUT,
        }
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
