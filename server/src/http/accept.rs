//! The accept loop: takes connections within the limits until the server stops.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::connection::{ConnectionContext, serve_connection};
use super::connection_slots::{CloseReason, ConnectionSlots};

/// Serves connections until `stop` resolves, then lets open requests finish within the shutdown
/// timeout.
pub async fn serve(listener: TcpListener, context: ConnectionContext, stop: impl Future<Output = ()>) {
    let context = Arc::new(context);
    let stopping = watch::Sender::new(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &context.slots) => accepted,
            () = &mut stop => break,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let Some(slot) = context.slots.permit(peer.ip(), permit) else {
            context.slots.count_closed(CloseReason::TooMany);
            if context.refusals.admits(peer.ip(), Instant::now()) {
                let address = peer.ip();
                tracing::info!(%address, "a connection was refused: its address reached the limit");
            }
            continue;
        };
        let (context, stopping) = (Arc::clone(&context), stopping.subscribe());
        tokio::spawn(async move {
            serve_connection(&context, stream, peer, stopping).await;
            drop(slot);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(context.timeouts.shutdown, context.slots.all_closed()).await.is_err() {
        tracing::warn!("some requests did not finish within the shutdown timeout and were dropped");
    }
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, slots: &ConnectionSlots) -> Option<Accepted> {
    let permit = slots.next().await?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // The usual cause is the limit of open files, so other connections must close first.
            tracing::warn!(%error, "a connection cannot be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
