//! A stream of events, as its reader meets it.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::Answer;

/// A stream that is open until this is dropped.
pub struct Events {
    /// What it began with.
    pub answer: Answer,
    response: Response,
    read: String,
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An event.
    Told { id: String, name: String, data: Value },
    /// The sign that the stream is alive.
    Alive,
}

impl Events {
    pub fn new(answer: Answer, response: Response) -> Events {
        Events { answer, response, read: String::new() }
    }

    /// What comes within this time: nothing came, `None`; the stream ended, `Some(None)`.
    pub async fn within(&mut self, wait: Duration) -> Option<Option<Event>> {
        let until = Instant::now() + wait;
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parsed(block);
                self.read = rest.to_owned();
                return Some(Some(event));
            }
            match timeout_at(until, self.response.chunk()).await {
                Err(_) => return None,
                Ok(Ok(Some(bytes))) => self.read.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(Ok(None)) => {
                    assert!(self.read.is_empty(), "half an event: {:?}", self.read);
                    return Some(None);
                }
                Ok(Err(error)) => panic!("the stream broke: {error:?}"),
            }
        }
    }

    /// The next event, soon: its revision and its data.
    pub async fn next(&mut self) -> (u64, Value) {
        match self.within(Duration::from_secs(5)).await {
            Some(Some(Event::Told { id, data, .. })) => (id.parse().unwrap(), data),
            other => panic!("no event: {other:?}"),
        }
    }

    /// Nothing comes for a while.
    pub async fn is_silent(&mut self, wait: Duration) {
        let came = self.within(wait).await;
        assert_eq!(came, None);
    }

    /// It ends within this time; signs of life before that do not count.
    pub async fn ends_within(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        loop {
            match self.within(until.saturating_duration_since(Instant::now())).await {
                Some(None) => return,
                Some(Some(Event::Alive)) => {}
                other => panic!("it goes on: {other:?}"),
            }
        }
    }
}

fn parsed(block: &str) -> Event {
    if block == ":" {
        return Event::Alive;
    }
    let field = |name: &str| {
        let mut lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = lines.next().unwrap_or_else(|| panic!("no {name}: {block:?}"));
        assert_eq!(lines.next(), None, "{block:?}");
        value.to_owned()
    };
    let lines = block.lines().filter(|line| !line.starts_with("retry: ")).count();
    assert_eq!(lines, 3, "{block:?}");
    Event::Told { id: field("id"), name: field("event"), data: serde_json::from_str(&field("data")).unwrap() }
}
