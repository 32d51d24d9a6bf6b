//! The observable part of an answer, and comparisons of it.

use super::two_tenants::Probe;
use crate::support::{Answer, Api};

/// Everything a caller can observe of an answer, except its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub what: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Observation {
    /// Sends a request; for a stream, the first event stands for the body.
    pub async fn of_request(api: &Api, probe: &Probe) -> Observation {
        let Probe { method, path, body } = probe;
        let request = || {
            let request = api.request(method, path);
            let request = if method == "GET" { request } else { request.any_version() };
            match body {
                Some(body) => request.json(body.clone()),
                None => request,
            }
        };
        let answer = request().send().await;
        let mut observation = Observation::new(&answer);
        if answer.header("content-type") == "text/event-stream" {
            observation.body = format!("{:?}", request().open().await.next().await);
        }
        observation
    }

    fn new(answer: &Answer) -> Observation {
        let mut headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        let id = answer.header("x-request-id");
        let mut text = answer.text.clone();
        // All tenants share one log, and owners are shown its newest hash: the hash shows that
        // something happened, but not what.
        if let Some((items, _)) = text.split_once("\"proof\":") {
            text = items.to_owned();
            headers.retain(|(name, _)| name != "content-length");
        }
        let (what, body) = (answer.what.clone(), text.replace(&id, "-"));
        Observation { what, status: answer.status, headers, body }
    }
}

/// Asserts that answers did not change, and returns how many were compared.
#[track_caller]
pub fn assert_unchanged(
    caller: &str,
    before: &[Observation],
    after: &[Observation],
    is_left_out: impl Fn(&Observation) -> bool,
) -> usize {
    assert_eq!(before.len(), after.len());
    let compared = before.iter().zip(after).filter(|(before, _)| !is_left_out(before));
    compared.inspect(|(before, after)| assert_eq!(before, after, "{caller}")).count()
}

/// Asserts that no answer contains one of these names; the request may contain them.
#[track_caller]
pub fn assert_names_none(caller: &str, observations: &[Observation], names: &[String]) {
    for observation in observations {
        let (headers, what) = (format!("{:?}", observation.headers), &observation.what);
        for name in names {
            assert!(
                !observation.body.contains(name.as_str()) && !headers.contains(name.as_str()),
                "{caller}: {what} names {name}: {}",
                observation.body
            );
        }
    }
}
