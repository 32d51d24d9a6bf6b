//! Tests of responses that the client must reject, and of its recovery.

use dezky::{Client, ClientCode, ClientEvent, ClientStatus, Code};

use crate::server::{Fault, Server, snapshot};
use crate::support::{SECOND, connected, millis, options, subject, until};

/// Every kind of unusable response, with the code of its error.
pub fn faults() -> Vec<(Fault, ClientCode)> {
    use ClientCode::{BadSnapshot, DigestMismatch, RateLimited, UnexpectedStatus, Unreachable};
    vec![
        (Fault::Reset, Unreachable),
        (Fault::Garbage, Unreachable),
        (Fault::Truncated, Unreachable),
        (Fault::TruncatedUnnoticed, BadSnapshot),
        (Fault::Corrupted, DigestMismatch),
        (Fault::Untagged, DigestMismatch),
        (Fault::NotJson, BadSnapshot),
        (Fault::NotASnapshot, BadSnapshot),
        (Fault::Slow(millis(900)), Unreachable),
        (Fault::Status(429, ""), RateLimited),
        (Fault::Status(500, ""), UnexpectedStatus),
        (Fault::Status(502, ""), UnexpectedStatus),
        (Fault::Status(404, ""), UnexpectedStatus),
        (Fault::Status(204, ""), UnexpectedStatus),
        (Fault::Status(307, "location: http://127.0.0.1:1/\r\n"), UnexpectedStatus),
    ]
}

#[test]
fn a_running_client_rejects_every_bad_response() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (client, events) = connected(&server);
    let mut revision = 1;
    for (fault, code) in faults() {
        server.wait_for_stream();
        server.state().faults.push_back(fault.clone());
        revision += 1;
        server.publish(&snapshot(revision, &[("a", if revision % 2 == 0 { "on" } else { "off" })]));
        let ClientEvent::Error { error, fatal } = events.next() else { panic!("{fault:?}") };
        assert_eq!((error.code, fatal), (code, false), "{fault:?}: {error}");
        assert!(!error.to_string().contains("dzk_test") && error.path.is_empty());
        assert_eq!(error.snapshot_error.is_some(), code == ClientCode::BadSnapshot);
        assert_eq!(events.next_change(), (revision, vec!["a".into()]), "{fault:?}");
        assert_eq!(client.status(), ClientStatus::Ready);
    }
}

#[test]
fn a_starting_client_rejects_every_bad_response() {
    for (fault, code) in faults().into_iter().chain([(Fault::FalseUnchanged, ClientCode::UnexpectedStatus)]) {
        let server = Server::start(snapshot(7, &[("a", "on")]));
        server.state().faults.push_back(fault.clone());
        let (options, events) = options(&server.url());
        let client = Client::connect(options).unwrap();
        assert_eq!(events.next_name(), code.as_str(), "{fault:?}");
        assert_eq!(events.next(), ClientEvent::Ready { revision: 7 });
        assert!(client.is_enabled("a", &subject()));
    }
}

#[test]
fn a_response_above_the_size_limit_is_not_read_to_its_end() {
    let server = Server::start(snapshot(1, &[]));
    server.state().faults.push_back(Fault::Endless);
    let (options, events) = options(&server.url());
    let _client = Client::connect(options).unwrap();
    let ClientEvent::Error { error, .. } = events.next() else { panic!() };
    // In a debug build the request may time out before the limit is reached.
    if error.code != ClientCode::Unreachable {
        assert_eq!(error.snapshot_error.unwrap().code, Code::DocumentTooLarge);
    }
}

#[test]
fn a_problem_is_reported_once_until_it_ends_or_changes() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (_client, events) = connected(&server);
    server.wait_for_stream();
    server.state().always = Some(Fault::Status(500, ""));
    server.announce("");
    assert_eq!(events.next_name(), "unexpected_status");
    let count = server.fetches().len();
    server.wait("further attempts", |state| state.requests.len() > count + 5);
    events.none_for(millis(50));
    server.state().always = Some(Fault::NotJson);
    assert_eq!(events.next_name(), "bad_snapshot");
    server.state().always = Some(Fault::Status(500, ""));
    assert_eq!(events.next_name(), "unexpected_status");
    server.state().always = None;
    let count = server.fetches().len();
    server.wait("a success", |state| state.requests[count..].iter().any(|each| each.status == 304));
    server.state().always = Some(Fault::Status(500, ""));
    server.announce("");
    assert_eq!(events.next_name(), "unexpected_status");
}

#[test]
fn the_client_waits_for_retry_after() {
    for status in [429, 503] {
        let server = Server::start(snapshot(1, &[("a", "off")]));
        let (client, events) = connected(&server);
        server.wait_for_stream();
        server.wait("the confirmation", |state| state.requests.len() >= 3);
        let before = server.fetches().len();
        server.state().faults.push_back(Fault::Status(status, "retry-after: 1\r\n"));
        server.publish(&snapshot(2, &[("a", "on")]));
        events.next();
        std::thread::sleep(millis(300));
        // An announcement does not shorten the wait.
        server.publish(&snapshot(3, &[("b", "on")]));
        until("the revision", || client.ruleset().revision() == 3);
        let fetches = server.fetches();
        let gap = fetches[before + 1].at - fetches[before].at;
        assert!(gap >= millis(990) && gap < SECOND * 2, "{gap:?}");
    }
}

#[test]
fn redirects_are_not_followed() {
    let other = Server::start(snapshot(9, &[]));
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (client, events) = connected(&server);
    server.wait_for_stream();
    let line: &'static str = Box::leak(format!("location: {}/\r\n", other.url()).into_boxed_str());
    for status in [301, 302, 303, 307, 308] {
        server.state().faults.push_back(Fault::Status(status, line));
    }
    server.state().stream_faults.push_back(Fault::Status(302, line));
    server.publish(&snapshot(2, &[("a", "on")]));
    assert_eq!(events.next_name(), "unexpected_status");
    assert_eq!(events.next_name(), "change");
    server.end_streams();
    server.wait("the stream's redirect", |state| state.stream_faults.is_empty());
    assert_eq!(client.ruleset().revision(), 2);
    assert!(other.state().requests.is_empty());
}

#[test]
fn a_refused_key_is_reported_once_and_the_client_recovers() {
    for status in [401, 403] {
        let server = Server::start(snapshot(1, &[("a", "on")]));
        let (client, events) = connected(&server);
        server.wait_for_stream();
        {
            let mut state = server.state();
            state.always = Some(Fault::Status(status, ""));
            state.stream_always = state.always.clone();
        }
        server.end_streams();
        let ClientEvent::Error { error, fatal } = events.next() else { panic!() };
        assert_eq!((error.code, fatal), (ClientCode::KeyRefused, false));
        assert_eq!(error.server_code.as_deref(), Some("some_reason"));
        assert!(error.message.contains(&format!("{status} some_reason")), "{}", error.message);
        until("the refusal", || client.status() == ClientStatus::Refused);
        // The last rules stay in use, and the client retries without another event.
        let before = server.fetches().len();
        server.wait("further attempts", |state| state.requests.len() > before + 8);
        assert_eq!((client.status(), events.names()), (ClientStatus::Refused, vec![]));
        assert!(client.is_enabled("a", &subject()));
        server.set(&snapshot(2, &[("a", "off")]));
        {
            let mut state = server.state();
            (state.always, state.stream_always) = (None, None);
        }
        assert_eq!(events.next(), ClientEvent::Ready { revision: 2 });
        assert_eq!(events.next_change(), (2, vec!["a".into()]));
        assert_eq!(client.status(), ClientStatus::Ready);
        server.wait_for_stream();
        server.publish(&snapshot(3, &[("a", "on")]));
        assert_eq!(events.next_change(), (3, vec!["a".into()]));
    }
}

#[test]
fn a_refusal_of_the_stream_alone_does_not_stop_the_fetches() {
    for status in [401, 403] {
        let server = Server::start(snapshot(1, &[("a", "on")]));
        let (client, events) = connected(&server);
        server.wait_for_stream();
        server.state().stream_always = Some(Fault::Status(status, ""));
        server.end_streams();
        assert_eq!(events.next_name(), "key_refused");
        server.set(&snapshot(2, &[("a", "off")]));
        assert_eq!(events.next_change(), (2, vec!["a".into()]));
        assert_eq!((client.status(), events.names()), (ClientStatus::Ready, vec![]));
        server.state().stream_always = None;
        server.wait_for_stream();
    }
}

#[test]
fn the_backoff_of_a_refused_key_grows_to_twice_the_limit() {
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (options, _events) = options(&server.url());
    let client = Client::connect(options.max_backoff(millis(400))).unwrap();
    server.wait_for_stream();
    let before = server.fetches().len();
    {
        let mut state = server.state();
        state.always = Some(Fault::Status(401, ""));
        state.stream_always = state.always.clone();
    }
    server.end_streams();
    until("the refusal", || client.status() == ClientStatus::Refused);
    std::thread::sleep(SECOND * 4);
    let at: Vec<_> = server.fetches()[before..].iter().map(|fetch| fetch.at).collect();
    let gaps: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let longest = *gaps.iter().max().unwrap();
    assert!(longest > millis(400) && longest < millis(1_100), "{gaps:?}");
    assert!(at.len() < 25, "{gaps:?}");
}

#[test]
fn closing_ends_a_client_whose_key_is_refused() {
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (client, events) = connected(&server);
    server.wait_for_stream();
    server.state().always = Some(Fault::Status(401, ""));
    server.announce("");
    assert_eq!(events.next_name(), "key_refused");
    client.close();
    let count = server.state().requests.len();
    events.none_for(millis(300));
    client.resume();
    assert_eq!((client.status(), server.state().requests.len()), (ClientStatus::Closed, count));
    assert!(server.sign_offs().is_empty());
}

#[test]
fn an_older_revision_is_rejected() {
    let (old, new) = (snapshot(3, &[("a", "off")]), snapshot(7, &[("a", "on")]));
    let server = Server::start(new.clone());
    let (options, events) = options(&server.url());
    let client = Client::connect(options.stale_after(millis(400))).unwrap();
    assert_eq!(events.next_name(), "ready");
    server.wait_for_stream();
    server.publish(&old);
    assert_eq!(events.next_name(), "older_revision");
    assert_eq!(events.next_name(), "stale");
    assert_eq!((client.ruleset().revision(), client.status()), (7, ClientStatus::Stale));
    assert!(client.is_enabled("a", &subject()));
    events.none_for(millis(300));
    // The client recovers once the server has a newer revision.
    server.set(&snapshot(8, &[("a", "off")]));
    assert_eq!(events.next_name(), "ready");
    assert_eq!(events.next_change(), (8, vec!["a".into()]));
}
