//! A TCP stream with a write timeout: a peer that does not read loses its connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::limits::{MAX_UNSENT, MIN_PROGRESS, PEER_TIMEOUT};

/// A TCP stream whose writes fail if the peer takes fewer than [`MIN_PROGRESS`] bytes within the
/// timeout while more are waiting.
pub struct WriteTimeoutStream {
    stream: TcpStream,
    timeout: Duration,
    /// The deadline of the waiting write, if one is waiting.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The bytes that the peer took since the deadline was set.
    taken: usize,
}

impl WriteTimeoutStream {
    /// Wraps a stream and bounds its kernel buffers. Systems without these socket options ignore
    /// them.
    pub fn new(stream: TcpStream, timeout: Duration) -> WriteTimeoutStream {
        let _ = stream.set_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let socket = SockRef::from(&stream);
            let _ = socket.set_tcp_notsent_lowat(MAX_UNSENT);
            // Without this option the kernel retransmits heartbeats to a lost peer for a quarter
            // of an hour.
            let _ = socket.set_tcp_user_timeout(Some(PEER_TIMEOUT));
        }
        WriteTimeoutStream { stream, timeout, deadline: None, taken: 0 }
    }

    /// Records written bytes; the deadline ends when the socket took all of them.
    fn record_progress(&mut self, taken: usize, offered: usize) {
        if taken >= offered {
            self.deadline = None;
        } else if self.deadline.is_some() {
            self.taken = self.taken.saturating_add(taken);
        }
    }

    /// Polls the deadline while the socket takes no bytes; resolves to the timeout error.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let deadline = self.deadline.get_or_insert_with(|| {
                self.taken = 0;
                Box::pin(sleep(self.timeout))
            });
            ready!(deadline.as_mut().poll(cx));
            if self.taken < MIN_PROGRESS {
                // The kernel drops the unsent bytes at once, because the peer does not read them.
                let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read"));
            }
            self.taken = 0;
            deadline.as_mut().reset(Instant::now() + self.timeout);
        }
    }

    fn after_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        offered: usize,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(taken)) => {
                self.record_progress(taken, offered);
                Poll::Ready(Ok(taken))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.poll_deadline(cx).map(Err),
        }
    }
}

impl AsyncRead for WriteTimeoutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for WriteTimeoutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.after_write(cx, written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.after_write(cx, written, slices.iter().map(|slice| slice.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
