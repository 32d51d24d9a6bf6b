//! The activity on an HTTP/2 connection. A connection on which nothing moves any more is ended, because its peer
//! can keep answers waiting without a word to the socket.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

/// What moves on a connection.
pub struct Activity(Mutex<State>);

struct State {
    /// Requests whose handlers are at work.
    busy: usize,
    /// The last moment at which a request arrived or the peer took a part of an answer.
    last: Instant,
}

impl Activity {
    /// A connection that has just begun.
    pub fn new() -> Arc<Activity> {
        Arc::new(Activity(Mutex::new(State { busy: 0, last: Instant::now() })))
    }

    fn note(&self, change: impl FnOnce(&mut usize)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state.busy);
        state.last = Instant::now();
    }

    /// Marks a request as at work until the guard is dropped.
    pub fn work(self: &Arc<Activity>) -> Working {
        self.note(|busy| *busy += 1);
        Working(Arc::clone(self))
    }

    /// Waits until nothing has moved for this long.
    pub async fn ended(&self, timeout: Duration) {
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

/// A request at work.
pub struct Working(Arc<Activity>);

impl Working {
    /// The answer, whose parts count as activity when the peer takes them.
    pub fn answers(self, body: Body) -> Answer {
        Answer { activity: Arc::clone(&self.0), body, rest: Bytes::new() }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.note(|busy| *busy -= 1);
    }
}

/// An answer's body, in parts of at most [`PART`] bytes. HTTP/2 asks for the next part only when the peer has room for more.
pub struct Answer {
    activity: Arc<Activity>,
    body: Body,
    rest: Bytes,
}

/// Small enough that slow readers take one in time.
const PART: usize = 16 << 10;

impl hyper::body::Body for Answer {
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
        self.activity.note(|_| {});
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
