//! Connections that use up the server: unread answers, silence, and too many from one address.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use dezky_server::http::accept;
use dezky_server::http::connection::{ConnectionContext, Timeouts};
use dezky_server::http::connection_slots::{AddressLimit, ConnectionSlots};
use dezky_server::http::tls::{Tls, TlsFiles};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Api, PATIENCE, Server, eventually};
use crate::tls::Certificates;

/// Short time limits, so that tests do not wait long.
pub const SHORT: Timeouts = Timeouts {
    headers: Duration::from_millis(300),
    handshake: Duration::from_millis(300),
    idle: Duration::from_millis(300),
    write: Duration::from_millis(300),
    shutdown: Duration::from_secs(5),
};

async fn connected(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Waits until the connection is reset, without reading from it.
async fn reset(connection: &TcpStream) {
    timeout(PATIENCE, connection.ready(Interest::ERROR))
        .await
        .expect("the connection is still open")
        .unwrap();
}

/// Reads until the connection ends, regularly or not.
pub async fn ended(connection: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = timeout(PATIENCE, connection.read_to_end(&mut read)).await.expect("the connection is still open");
    read
}

#[tokio::test]
async fn unread_answers_end_their_connection() {
    let server = Server::start();
    let mut connection = connected(&server).await;
    connection.write_all(get_request("/openapi.json").repeat(40).as_bytes()).await.unwrap();
    reset(&connection).await;
    let answers = ended(&mut connection).await;
    let answered = String::from_utf8_lossy(&answers).matches("HTTP/1.1 200").count();
    assert!(answered < 40, "{answered} answers were sent to a client that did not read");
}

#[tokio::test]
async fn an_address_has_a_limited_number_of_connections() {
    let server = Server::start_with(&["--max-connections-per-address", "4", "--failure-limit", "0"]);
    let answered = async || {
        let mut connection = connected(&server).await;
        // A refused connection may close before the request is written.
        let _ = connection.write_all(get_request("/healthz").as_bytes()).await;
        let mut start = [0; 12];
        let is_answered = connection.read_exact(&mut start).await.is_ok() && start.ends_with(b"200");
        is_answered.then_some(connection)
    };
    let mut open = Vec::new();
    while let Some(connection) = answered().await {
        open.push(connection);
        assert!(open.len() <= 4, "more connections than the limit");
    }
    assert!(!open.is_empty());
    open.pop();
    eventually("a closed connection makes room", async || answered().await.map(drop)).await;
}

#[tokio::test]
async fn a_trusted_proxy_has_any_number_of_connections() {
    let settings = ["--max-connections-per-address", "4", "--trusted-proxy", "127.0.0.0/8"];
    let server = Server::start_with(&settings);
    let mut open = Vec::new();
    for _ in 0..12 {
        open.push(connected(&server).await);
    }
    Api::anonymous(&server).await.get("/healthz").send().await.is(200);
}

/// Starts a server in this process with short time limits; it stops when the sender is dropped.
pub async fn short_server(
    router: Router,
    certificates: Option<&Certificates>,
) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let context = ConnectionContext {
        router,
        tls: certificates.map(|certificates| {
            let (certificate, key) = (certificates.file("one.pem"), certificates.file("one.key"));
            Tls::load(TlsFiles { certificate, key }).unwrap()
        }),
        slots: ConnectionSlots::new(AddressLimit::default()).unwrap(),
        refusals: Arc::default(),
        timeouts: SHORT,
    };
    tokio::spawn(accept::serve(listener, context, async {
        let _ = stopped.await;
    }));
    (address, stop)
}

/// A route whose answer never ends, with parts of this size; the receiver learns when the answer is
/// dropped.
pub fn endless(size: usize, pause: Duration) -> (Router, mpsc::UnboundedReceiver<()>) {
    let (dropped, when_dropped) = mpsc::unbounded_channel::<()>();
    let answer = move || {
        let part = Bytes::from(vec![b'x'; size]);
        let parts =
            stream::unfold((part, dropped.clone(), DropSignal(dropped.clone())), move |state| async move {
                sleep(pause).await;
                Some((Ok::<Bytes, Infallible>(state.0.clone()), state))
            });
        async { Body::from_stream(parts) }
    };
    (Router::new().route("/", get(answer)), when_dropped)
}

struct DropSignal(mpsc::UnboundedSender<()>);

impl Drop for DropSignal {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// The server produces no more of an answer than its buffers hold until the client reads.
#[tokio::test]
async fn an_unread_answer_takes_little_memory() {
    const PART: usize = 16 << 10;
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let answer = move || {
        let parts = stream::repeat_with(move || {
            count.fetch_add(PART, Ordering::Relaxed);
            Ok::<Bytes, Infallible>(Bytes::from_static(&[b'x'; PART]))
        });
        async { Body::from_stream(parts) }
    };
    let (address, _stop) = short_server(Router::new().route("/", get(answer)), None).await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(get_request("/").as_bytes()).await.unwrap();
    reset(&connection).await;
    let made = made.load(Ordering::Relaxed);
    assert!(made <= 1 << 20, "{made} bytes were made for a client that did not read");
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_closed() {
    let (router, mut dropped) = endless(10_000, Duration::from_millis(1));
    let (address, _stop) = short_server(router, None).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut connection = socket.connect(address).await.unwrap();
    connection.write_all(get_request("/").as_bytes()).await.unwrap();
    timeout(PATIENCE, dropped.recv()).await.expect("the stream is still open");
    reset(&connection).await;
}

#[tokio::test]
async fn a_stream_that_is_read_stays_open() {
    let (router, mut dropped) = endless(3, SHORT.write / 3);
    let (address, _stop) = short_server(router, None).await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(get_request("/").as_bytes()).await.unwrap();
    let until = Instant::now() + SHORT.write * 4;
    while Instant::now() < until {
        let mut part = [0; 64];
        assert!(connection.read(&mut part).await.unwrap() > 0, "the stream has ended");
    }
    assert!(dropped.try_recv().is_err());
    drop(connection);
    timeout(PATIENCE, dropped.recv()).await.expect("the stream of a closed connection is still open");
}

#[tokio::test]
async fn a_silent_slow_or_idle_connection_is_closed() {
    let (address, _stop) = short_server(Router::new().route("/", get(|| async { "here" })), None).await;
    let connect = async || TcpStream::connect(address).await.unwrap();
    let mut silent = connect().await;
    assert!(ended(&mut silent).await.is_empty());
    let mut slow = connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    ended(&mut slow).await;
    let mut idle = connect().await;
    for _ in 0..2 {
        idle.write_all(get_request("/").as_bytes()).await.unwrap();
        let mut answer = [0; 512];
        assert!(idle.read(&mut answer).await.unwrap() > 0);
    }
    assert!(ended(&mut idle).await.is_empty());
}

#[tokio::test]
async fn a_running_request_finishes_when_the_server_stops() {
    let (began, mut has_begun) = mpsc::unbounded_channel::<()>();
    let finish = Arc::new(Notify::new());
    let may_finish = Arc::clone(&finish);
    let answer = move || {
        let _ = began.send(());
        let may_finish = Arc::clone(&may_finish);
        async move {
            may_finish.notified().await;
            "done"
        }
    };
    let (address, stop) = short_server(Router::new().route("/", get(answer)), None).await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(get_request("/").as_bytes()).await.unwrap();
    has_begun.recv().await.unwrap();
    drop(stop);
    eventually("the server accepts no connections", async || {
        TcpStream::connect(address).await.err().map(drop)
    })
    .await;
    finish.notify_one();
    assert!(ended(&mut connection).await.ends_with(b"done"));
}
