//! The limits on requests and connections, with their reasons.

use std::time::Duration;

/// The size of a request body. The largest real one is an edit of a flag with full scope lists.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The size of all headers of a request: twice the largest token that core reads.
pub const MAX_HEADER_BYTES: usize = 32 << 10;

/// The buffer of a connection for incomplete headers. Above [`MAX_HEADER_BYTES`], so that an
/// oversized request still gets its error response.
pub const MAX_CONNECTION_BUFFER: usize = 64 << 10;

/// The length of path and query together.
pub const MAX_TARGET_BYTES: usize = 8 << 10;

/// The maximum number of items on a page.
pub const MAX_PAGE: usize = 200;

/// The default number of items on a page.
pub const DEFAULT_PAGE: usize = 50;

/// The length of a search string, in characters.
pub const MAX_SEARCH_CHARACTERS: usize = 100;

/// The length of an idempotency key, in characters: a UUID fits seven times.
pub const MAX_IDEMPOTENCY_KEY: usize = 255;

/// The length of a cursor, in characters: the longest name, encoded.
pub const MAX_CURSOR: usize = 2_048;

/// The number of open connections. Further ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 20_000;

/// The default number of open connections from one address, or from one /64 of IPv6: enough for
/// an office behind one address, and a twentieth of all.
pub const MAX_CONNECTIONS_PER_ADDRESS: u32 = 1_000;

/// The time in which a peer must read a part of a waiting response.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// The bytes that a peer must take within [`WRITE_TIMEOUT`] while more are waiting: half a
/// kilobyte a second is slower than any working network.
pub const MIN_PROGRESS: usize = 10 << 10;

/// The unsent bytes of a response in the kernel; the rest waits in the buffer of the server.
pub const MAX_UNSENT: u32 = 128 << 10;

/// The time in which a peer must acknowledge sent bytes.
pub const PEER_TIMEOUT: Duration = Duration::from_secs(60);

/// The time for the headers of a request, and for the next request of a connection.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The time for a TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The time without a request or a part of a response after which an HTTP/2 connection closes:
/// four heartbeats.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Concurrent requests on one HTTP/2 connection: more than the open tabs of a browser, each with
/// a stream.
pub const MAX_CONCURRENT_STREAMS: u32 = 128;

/// The bytes of one response that wait in memory on an HTTP/2 connection.
pub const MAX_SEND_BUFFER: usize = 64 << 10;

/// The bytes of one request body that a client may send ahead on an HTTP/2 connection.
pub const STREAM_WINDOW: u32 = 256 << 10;

/// The bytes of all request bodies that a client may send ahead on an HTTP/2 connection.
pub const CONNECTION_WINDOW: u32 = 1 << 20;

/// The number of requests that a client may reset on an HTTP/2 connection before it closes.
pub const MAX_RESETS: usize = 64;

/// The interval of pings on an HTTP/2 connection.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The time in which an HTTP/2 peer must answer a ping.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// The time in which a request body must arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The time in which a handler must respond.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The time for open requests after a stop signal.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// The factor of the rate limit of a server key. The key stands for a fleet and counts as a
/// whole, because the instance names are not verified.
pub const FLEET_FACTOR: u32 = 10;

/// The number of callers, and of addresses, whose rates are tracked.
pub const MAX_TRACKED_CALLERS: usize = 20_000;

/// Log lines a second about callers of one address without a valid credential.
pub const LOGGED_A_SECOND_PER_ADDRESS: u32 = 10;

/// Log lines a second about all callers without a valid credential.
pub const LOGGED_A_SECOND: u32 = 100;

/// The heartbeat interval of event streams. Proxies close connections that are silent for a
/// minute.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// The number of open streams of a caller with access to single tenants.
pub const MAX_STREAMS_PER_CALLER: usize = 1_000;

/// Concurrent exports of the change log: enough for backups and auditors, too few to keep the
/// store busy.
pub const MAX_EXPORTS: usize = 8;

/// The maximum time that a kill waits for instances.
pub const MAX_WAIT: Duration = Duration::from_secs(10);
