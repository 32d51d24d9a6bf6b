//! One connection: TLS where it is served, then HTTP/1.1 or HTTP/2, until it is over.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;

use axum::extract::ConnectInfo;
use axum::http::Response;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::activity::Activity;
use super::connection::Front;
use super::limits::{
    CONNECTION_WINDOW, MAX_CONCURRENT_STREAMS, MAX_CONNECTION_BUFFER, MAX_RESETS, MAX_SEND_BUFFER,
    PING_INTERVAL, PING_TIMEOUT, STREAM_WINDOW,
};
use super::places::Ending;
use super::steady::Steady;
use super::tls::H2;

/// Set once the server stops.
type Stopping = watch::Receiver<bool>;

/// Answers the requests of one connection.
pub async fn converse(front: &Front, stream: TcpStream, peer: SocketAddr, stopping: Stopping) {
    let stream = Steady::new(stream, front.patience.write);
    let Some(tls) = &front.tls else {
        return one(front, TokioIo::new(stream), peer, stopping).await;
    };
    match timeout(front.patience.handshake, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(H2) => {
            two(front, TokioIo::new(stream), peer, stopping).await;
        }
        Ok(Ok(stream)) => one(front, TokioIo::new(stream), peer, stopping).await,
        Ok(Err(_)) | Err(_) => front.places.end(Ending::Handshake),
    }
}

/// HTTP/1.1.
async fn one(
    front: &Front,
    stream: impl Read + Write + Unpin + Send + 'static,
    peer: SocketAddr,
    stopping: Stopping,
) {
    let router = front.router.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        TowerToHyperService::new(router.clone()).call(request)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(front.patience.headers)
        .max_buf_size(MAX_CONNECTION_BUFFER);
    // Waiting for the next request's headers has its own timeout here.
    let idle = std::future::pending();
    until_over(front, builder.serve_connection(stream, service), stopping, idle).await;
}

/// HTTP/2.
async fn two(
    front: &Front,
    stream: impl Read + Write + Unpin + Send + 'static,
    peer: SocketAddr,
    stopping: Stopping,
) {
    let activity = Activity::new();
    let (router, noted) = (front.router.clone(), activity.clone());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let working = noted.work();
        let answering = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let (parts, body) = answering.await?.into_parts();
            Ok::<_, Infallible>(Response::from_parts(parts, working.answers(body)))
        }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .max_header_list_size(MAX_CONNECTION_BUFFER as u32)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let idle = activity.ended(front.patience.idle);
    until_over(front, builder.serve_connection(stream, service), stopping, idle).await;
}

/// Drives a connection until it ends. When the server stops, or nothing moves on it any more, it takes no more requests.
async fn until_over<C>(front: &Front, connection: C, mut stopping: Stopping, idle: impl Future<Output = ()>)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let is_idle = tokio::select! {
        ended = connection.as_mut() => return note(front, ended),
        _ = stopping.wait_for(|stopping| *stopping) => false,
        () = idle => true,
    };
    connection.as_mut().graceful_shutdown();
    if is_idle {
        front.places.end(Ending::Idle);
        // Whatever its peer does not take in this time is dropped.
        let _ = timeout(front.patience.write, connection).await;
    } else {
        note(front, connection.await);
    }
}

/// Counts a connection that ended because its peer did not read. Other errors are the client's affair.
fn note(front: &Front, ended: Result<(), hyper::Error>) {
    let Err(error) = ended else { return };
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    if source.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut) {
        front.places.end(Ending::Unread);
    }
}
