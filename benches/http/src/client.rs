//! A keep-alive HTTP/1.1 client with one request at a time, limited to what the servers use.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// The longest wait for an answer. A longer wait ends the run.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection with its receive buffer.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer as lengths in the receive buffer.
#[derive(Clone, Copy)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    head_bytes: usize,
    body_bytes: usize,
}

/// Builds the bytes of a request, which can be sent many times.
pub fn request(method: &str, target: &str, token: &str, headers: &str, body: &str) -> Vec<u8> {
    let bearer = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let content = match body {
        "" => String::new(),
        _ => format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()),
    };
    format!("{method} {target} HTTP/1.1\r\nhost: bench\r\n{bearer}{headers}{content}\r\n{body}").into_bytes()
}

impl Client {
    /// Connects to the server.
    pub async fn connect(address: SocketAddr) -> Result<Client, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, received: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and waits for its whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        self.received.clear();
        self.stream.write_all(request).await?;
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server has closed the connection".into());
            }
            if head.is_none() {
                head = read_head(&self.received)?;
            }
            if let Some(answer) =
                head.filter(|answer| self.received.len() >= answer.head_bytes + answer.body_bytes)
            {
                return Ok(answer);
            }
        }
    }

    /// Sends a request and returns the body. Another status is an error that holds the answer.
    pub async fn expect(&mut self, status: u16, request: &[u8]) -> Result<String, Failure> {
        let answer = tokio::time::timeout(TIMEOUT, self.ask(request)).await??;
        let body = String::from_utf8_lossy(self.body(answer)).into_owned();
        match answer.status == status {
            true => Ok(body),
            false => Err(format!("{} instead of {status}: {body}", answer.status).into()),
        }
    }

    /// Returns a header of the last answer.
    pub fn header(&self, answer: Answer, name: &str) -> Option<String> {
        let head = std::str::from_utf8(self.received.get(..answer.head_bytes)?).ok()?;
        header(head.split("\r\n"), name).map(str::to_owned)
    }

    /// Returns the body of the last answer.
    pub fn body(&self, answer: Answer) -> &[u8] {
        self.received.get(answer.head_bytes..answer.head_bytes + answer.body_bytes).unwrap_or_default()
    }
}

/// Parses the head of an answer if it has arrived. An answer without a length is refused.
fn read_head(received: &[u8]) -> Result<Option<Answer>, Failure> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(received.get(..end).unwrap_or_default())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?.parse()?;
    let body_bytes = match status {
        // A 304 has no body. Its length is that of the full answer.
        304 => 0,
        _ => header(lines, "content-length").ok_or("an answer without content-length")?.parse()?,
    };
    Ok(Some(Answer { status, head_bytes: end + 4, body_bytes }))
}

fn header<'h>(lines: impl Iterator<Item = &'h str>, wanted: &str) -> Option<&'h str> {
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() -> Result<(), Failure> {
        let whole = b"HTTP/1.1 201 Created\r\nx-request-id: 7\r\nContent-Length: 5\r\n\r\n{}...";
        for end in 0..whole.len() - 5 {
            assert!(read_head(&whole[..end])?.is_none(), "after {end} bytes");
        }
        let answer = read_head(whole)?.ok_or("nothing was read")?;
        assert_eq!((answer.status, answer.head_bytes, answer.body_bytes), (201, whole.len() - 5, 5));
        Ok(())
    }

    #[test]
    fn nothing_follows_the_head_of_a_304() -> Result<(), Failure> {
        let head = b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n";
        assert_eq!(
            read_head(head)?.map(|answer| (answer.head_bytes, answer.body_bytes)),
            Some((head.len(), 0))
        );
        Ok(())
    }

    #[test]
    fn an_answer_of_unknown_length_is_refused() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
