//! The activity of an HTTP/2 connection. An idle connection is closed, because its peer can keep
//! responses waiting without any sign on the socket.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

/// The activity of one connection.
pub struct Activity(Mutex<Counters>);

struct Counters {
    /// The number of requests whose handlers run.
    busy: usize,
    /// The last time at which a request arrived or the peer took a part of a response.
    last: Instant,
}

impl Activity {
    /// Creates the activity of a new connection.
    pub fn new() -> Arc<Activity> {
        Arc::new(Activity(Mutex::new(Counters { busy: 0, last: Instant::now() })))
    }

    fn record(&self, change: impl FnOnce(&mut usize)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state.busy);
        state.last = Instant::now();
    }

    /// Counts a request as running until the guard is dropped.
    pub fn begin_request(self: &Arc<Activity>) -> RequestGuard {
        self.record(|busy| *busy += 1);
        RequestGuard(Arc::clone(self))
    }

    /// Waits until the connection was idle for this time.
    pub async fn idle_for(&self, timeout: Duration) {
        loop {
            let due = {
                let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let since = if state.busy > 0 { Instant::now() } else { state.last };
                since + timeout
            };
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }
}

/// The guard of a running request.
pub struct RequestGuard(Arc<Activity>);

impl RequestGuard {
    /// Wraps the response body, so that its parts count as activity when the peer takes them.
    pub fn track(self, body: Body) -> TrackedBody {
        TrackedBody { activity: Arc::clone(&self.0), body, rest: Bytes::new() }
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.record(|busy| *busy -= 1);
    }
}

/// A response body in parts of at most [`PART`] bytes. HTTP/2 polls for the next part only when
/// the peer has room.
pub struct TrackedBody {
    activity: Arc<Activity>,
    body: Body,
    rest: Bytes,
}

/// The size of a part: small enough for slow readers to take one within the timeout.
const PART: usize = 16 << 10;

impl hyper::body::Body for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        self.activity.record(|_| {});
        let length = self.rest.len().min(PART);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() { self.body.size_hint() } else { SizeHint::default() }
    }
}
