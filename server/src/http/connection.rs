//! One connection: the TLS handshake, then HTTP/1.1 or HTTP/2 until it closes.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
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
use super::connection_slots::{CloseReason, ConnectionSlots};
use super::limits::{
    CONNECTION_WINDOW, HANDSHAKE_TIMEOUT, HEADER_TIMEOUT, IDLE_TIMEOUT, MAX_CONCURRENT_STREAMS,
    MAX_CONNECTION_BUFFER, MAX_RESETS, MAX_SEND_BUFFER, PING_INTERVAL, PING_TIMEOUT, SHUTDOWN_TIMEOUT,
    STREAM_WINDOW, WRITE_TIMEOUT,
};
use super::refusals::RefusalLog;
use super::tls::{H2, Tls};
use super::write_timeout::WriteTimeoutStream;

/// Becomes true when the server stops.
type Stopping = watch::Receiver<bool>;

/// The shared parts that every connection is served with.
pub struct ConnectionContext {
    /// The router that answers the requests.
    pub router: Router,
    /// The TLS certificate; without one, connections are plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// The limits on open connections.
    pub slots: Arc<ConnectionSlots>,
    /// The limit on log lines about refused connections.
    pub refusals: Arc<RefusalLog>,
    /// The timeouts of a connection.
    pub timeouts: Timeouts,
}

/// The timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// The time for the headers of a request, and for the next request of a connection.
    pub headers: Duration,
    /// The time for a TLS handshake.
    pub handshake: Duration,
    /// The time without activity after which an HTTP/2 connection closes.
    pub idle: Duration,
    /// The time in which a peer must read a part of a waiting response.
    pub write: Duration,
    /// The time for open requests after the server was asked to stop.
    pub shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            headers: HEADER_TIMEOUT,
            handshake: HANDSHAKE_TIMEOUT,
            idle: IDLE_TIMEOUT,
            write: WRITE_TIMEOUT,
            shutdown: SHUTDOWN_TIMEOUT,
        }
    }
}

/// Serves the requests of one connection.
pub async fn serve_connection(
    context: &ConnectionContext,
    stream: TcpStream,
    peer: SocketAddr,
    stopping: Stopping,
) {
    let stream = WriteTimeoutStream::new(stream, context.timeouts.write);
    let Some(tls) = &context.tls else {
        return serve_http1(context, TokioIo::new(stream), peer, stopping).await;
    };
    match timeout(context.timeouts.handshake, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(H2) => {
            serve_http2(context, TokioIo::new(stream), peer, stopping).await;
        }
        Ok(Ok(stream)) => serve_http1(context, TokioIo::new(stream), peer, stopping).await,
        Ok(Err(_)) | Err(_) => context.slots.count_closed(CloseReason::Handshake),
    }
}

async fn serve_http1(
    context: &ConnectionContext,
    stream: impl Read + Write + Unpin + Send + 'static,
    peer: SocketAddr,
    stopping: Stopping,
) {
    let router = context.router.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        TowerToHyperService::new(router.clone()).call(request)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(context.timeouts.headers)
        .max_buf_size(MAX_CONNECTION_BUFFER);
    // HTTP/1.1 needs no idle timer: the header timeout also covers the wait for the next request.
    let idle = std::future::pending();
    drive(context, builder.serve_connection(stream, service), stopping, idle).await;
}

async fn serve_http2(
    context: &ConnectionContext,
    stream: impl Read + Write + Unpin + Send + 'static,
    peer: SocketAddr,
    stopping: Stopping,
) {
    let activity = Activity::new();
    let (router, tracker) = (context.router.clone(), activity.clone());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let request_guard = tracker.begin_request();
        let answering = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let (parts, body) = answering.await?.into_parts();
            Ok::<_, Infallible>(Response::from_parts(parts, request_guard.track(body)))
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
    let idle = activity.idle_for(context.timeouts.idle);
    drive(context, builder.serve_connection(stream, service), stopping, idle).await;
}

/// Drives a connection until it ends. When the server stops or the connection is idle, it accepts
/// no more requests.
async fn drive<C>(
    context: &ConnectionContext,
    connection: C,
    mut stopping: Stopping,
    idle: impl Future<Output = ()>,
) where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let is_idle = tokio::select! {
        ended = connection.as_mut() => return count_unread(context, ended),
        _ = stopping.wait_for(|stopping| *stopping) => false,
        () = idle => true,
    };
    connection.as_mut().graceful_shutdown();
    if is_idle {
        context.slots.count_closed(CloseReason::Idle);
        // A response that the peer does not read within this time is dropped.
        let _ = timeout(context.timeouts.write, connection).await;
    } else {
        count_unread(context, connection.await);
    }
}

/// Counts a connection that ended because its peer did not read. Other errors are caused by the
/// client.
fn count_unread(context: &ConnectionContext, ended: Result<(), hyper::Error>) {
    let Err(error) = ended else { return };
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    if source.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut) {
        context.slots.count_closed(CloseReason::Unread);
    }
}
