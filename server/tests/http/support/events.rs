//! A reader of server-sent events.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::Answer;

/// The time limit for an event that must arrive.
const SOON: Duration = Duration::from_secs(5);

/// An event stream; dropping it closes the connection.
pub struct EventStream {
    /// The head of the answer.
    pub answer: Answer,
    response: Response,
    buffer: String,
}

/// A block of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Message { id: String, name: String, data: Value },
    Heartbeat,
}

impl EventStream {
    pub fn new(answer: Answer, response: Response) -> EventStream {
        EventStream { answer, response, buffer: String::new() }
    }

    /// The next event; `None` after this time, `Some(None)` if the stream ended.
    pub async fn next_within(&mut self, wait: Duration) -> Option<Option<Event>> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let event = parsed(block);
                self.buffer = rest.to_owned();
                return Some(Some(event));
            }
            match timeout_at(deadline, self.response.chunk()).await {
                Err(_) => return None,
                Ok(Ok(Some(bytes))) => self.buffer.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(Ok(None)) => {
                    assert!(self.buffer.is_empty(), "the last event is incomplete: {:?}", self.buffer);
                    return Some(None);
                }
                Ok(Err(error)) => panic!("the stream broke: {error:?}"),
            }
        }
    }

    /// The next event, message or heartbeat, which must arrive soon.
    pub async fn event(&mut self) -> Event {
        match self.next_within(SOON).await {
            Some(Some(event)) => event,
            other => panic!("no event: {other:?}"),
        }
    }

    /// The revision and the data of the next message, which must arrive soon.
    pub async fn next(&mut self) -> (u64, Value) {
        match self.event().await {
            Event::Message { id, data, .. } => (id.parse().unwrap(), data),
            Event::Heartbeat => panic!("a heartbeat in place of a message"),
        }
    }

    /// Asserts that nothing arrives for this time.
    pub async fn stays_silent(&mut self, wait: Duration) {
        assert_eq!(self.next_within(wait).await, None);
    }

    /// Asserts that the stream ends within this time, after heartbeats at most.
    pub async fn ends_within(&mut self, wait: Duration) {
        let deadline = Instant::now() + wait;
        loop {
            match self.next_within(deadline.saturating_duration_since(Instant::now())).await {
                Some(None) => return,
                Some(Some(Event::Heartbeat)) => {}
                other => panic!("the stream continues: {other:?}"),
            }
        }
    }
}

fn parsed(block: &str) -> Event {
    if block == ":" {
        return Event::Heartbeat;
    }
    let field = |name: &str| {
        let mut lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = lines.next().unwrap_or_else(|| panic!("no {name}: {block:?}"));
        assert_eq!(lines.next(), None, "{block:?}");
        value.to_owned()
    };
    let lines = block.lines().filter(|line| !line.starts_with("retry: ")).count();
    assert_eq!(lines, 3, "{block:?}");
    Event::Message {
        id: field("id"),
        name: field("event"),
        data: serde_json::from_str(&field("data")).unwrap(),
    }
}
