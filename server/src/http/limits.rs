//! Every limit on requests, named, with its reason.

use std::time::Duration;

/// A request's body. The largest real one is an edit of a flag with full scope lists.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// All header lines of a request together: a token of the largest size that core reads, and as much again.
pub const MAX_HEADER_BYTES: usize = 32 << 10;

/// What one connection may make the server hold before its headers are complete. Above [`MAX_HEADER_BYTES`], so that the answer to a
/// request that is too large can still say so.
pub const MAX_CONNECTION_BUFFER: usize = 64 << 10;

/// Path and query together.
pub const MAX_TARGET_BYTES: usize = 8 << 10;

/// Items on a page.
pub const MAX_PAGE: usize = 200;

/// Items on a page, unless told otherwise.
pub const DEFAULT_PAGE: usize = 50;

/// A search text, in characters.
pub const MAX_SEARCH_CHARACTERS: usize = 100;

/// An idempotency key, in characters: a UUID fits seven times.
pub const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A cursor, in characters: a name of the largest size, encoded.
pub const MAX_CURSOR: usize = 2_048;

/// Connections at a time. Beyond it new ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 20_000;

/// Connections at a time from one address, or from one /64 of IPv6, unless told otherwise: an office behind one
/// address, and a twentieth of all.
pub const MAX_CONNECTIONS_PER_ADDRESS: u32 = 1_000;

/// How long a connection may go on without its peer reading, while answers wait to be sent.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes that a peer has to take within [`WRITE_TIMEOUT`] while more are waiting: half a kilobyte a second is
/// slower than any network that works.
pub const MIN_PROGRESS: usize = 10 << 10;

/// Bytes that the kernel keeps of an answer before they are sent; the next ones wait in our own buffer.
pub const MAX_UNSENT: u32 = 128 << 10;

/// How long the kernel waits for a peer to acknowledge what was sent.
pub const PEER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a request's headers may take to arrive, and how long a connection may wait for its next request.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection of HTTP/2 may be open without a request or a part of an answer: four heartbeats.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Requests at a time on one connection of HTTP/2: every tab of a browser with its stream, and more.
pub const MAX_CONCURRENT_STREAMS: u32 = 128;

/// Bytes of one answer that wait in memory on a connection of HTTP/2.
pub const MAX_SEND_BUFFER: usize = 64 << 10;

/// Bytes of one request's body that a client may send ahead on a connection of HTTP/2.
pub const STREAM_WINDOW: u32 = 256 << 10;

/// Bytes of all requests' bodies that a client may send ahead on a connection of HTTP/2.
pub const CONNECTION_WINDOW: u32 = 1 << 20;

/// Requests that a client may begin and reset on a connection of HTTP/2 before the connection is closed.
pub const MAX_RESETS: usize = 64;

/// How often a peer of HTTP/2 is asked whether it is alive.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long a peer of HTTP/2 may take to say that it is alive.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a request's body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests under way have to finish after a signal to stop.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// How many callers' rates a server key has. It stands for a fleet, and counts as a whole: the names that its
/// instances give themselves are anybody's to invent.
pub const FLEET_FACTOR: u32 = 10;

/// Callers and addresses whose rates are remembered, each.
pub const MAX_TRACKED_CALLERS: usize = 20_000;

/// Lines a second that the log has about callers of one address without a valid credential.
pub const LOGGED_A_SECOND_PER_ADDRESS: u32 = 10;

/// Lines a second that the log has about all callers without a valid credential.
pub const LOGGED_A_SECOND: u32 = 100;

/// How often a stream shows that it is alive. Proxies cut what is silent for a minute.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams that somebody who asks for one tenant alone may have open.
pub const MAX_STREAMS_PER_CALLER: usize = 1_000;

/// Exports of the change log at a time: backups and auditors, not a way to keep the store busy.
pub const MAX_EXPORTS: usize = 8;

/// How long a kill may wait for instances.
pub const MAX_WAIT: Duration = Duration::from_secs(10);
