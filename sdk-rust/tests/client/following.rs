//! Tests of a running client: changes, bursts, streams that end or fall silent, polling.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use dezky::testing::Timing;
use dezky::{Client, ClientEvent, ClientStatus, Key};

use crate::server::{Fault, HISTORY, Server, digest, snapshot};
use crate::support::{SECOND, connected, millis, options, short_timing, subject, until};

#[test]
fn a_change_arrives_and_is_confirmed_to_the_server() {
    let first = snapshot(1, &[("a", "off"), ("b", "on")]);
    let server = Server::start(first.clone());
    let (client, events) = connected(&server);
    assert!(!client.is_enabled("a", &subject()) && client.is_enabled("b", &subject()));
    server.wait_for_stream();
    server.wait("the first confirmation", |state| state.requests.len() >= 3);
    let before = client.ruleset();
    let second = snapshot(2, &[("a", "on"), ("c", "off")]);
    let began = Instant::now();
    server.publish(&second);
    assert_eq!(events.next_change(), (2, vec!["a".into(), "b".into(), "c".into()]));
    assert!(began.elapsed() < millis(300), "{:?}", began.elapsed());
    assert!(client.is_enabled("a", &subject()) && !client.is_enabled("b", &subject()));
    assert_eq!(client.ruleset().digest().as_str(), digest(&second));
    // A ruleset that a caller keeps does not change.
    assert!(!before.is_enabled("a", &subject()) && before.revision() == 1);
    server.wait("the confirmation", |state| {
        let confirms = |request: &crate::server::Request| {
            request.status == 304 && request.header("dezky-digest") == Some(&digest(&second))
        };
        state.requests.iter().any(confirms)
    });
    let fetches = server.fetches();
    let seen: Vec<_> = fetches
        .iter()
        .map(|request| (request.status, request.header("if-none-match"), request.header("dezky-digest")))
        .collect();
    let (one, two) = (digest(&first), digest(&second));
    let (tag_one, tag_two) = (format!("\"{one}\""), format!("\"{two}\""));
    let expected = [
        (200, None, None),
        (304, Some(tag_one.as_str()), Some(one.as_str())),
        (200, Some(tag_one.as_str()), Some(one.as_str())),
        (304, Some(tag_two.as_str()), Some(two.as_str())),
    ];
    assert_eq!(seen, expected);
    for request in server.state().requests.iter() {
        assert_eq!(request.header("authorization"), Some("Bearer dzk_test"));
        assert_eq!(request.header("dezky-instance"), Some(client.instance().as_str()));
    }
    assert_eq!(server.opened_streams()[0].header("dezky-digest"), Some(one.as_str()));
    events.none_for(millis(100));
}

#[test]
fn a_new_revision_with_the_same_flags_emits_no_change() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (client, events) = connected(&server);
    server.wait_for_stream();
    server.publish(&snapshot(2, &[("a", "off")]));
    until("the revision", || client.ruleset().revision() == 2);
    events.none_for(millis(100));
}

#[test]
fn other_content_at_the_same_revision_and_another_history_are_accepted() {
    let server = Server::start(snapshot(5, &[("a", "off")]));
    let (client, events) = connected(&server);
    server.wait_for_stream();
    server.publish(&snapshot(5, &[("a", "on")]));
    assert_eq!(events.next_change(), (5, vec!["a".into()]));
    let other = snapshot(1, &[("a", "off")]);
    {
        let mut state = server.state();
        (state.history, state.body) = (Some("history-2"), other.clone());
    }
    server.publish(&other);
    assert_eq!(events.next_change(), (1, vec!["a".into()]));
    assert_eq!(client.ruleset().revision(), 1);
}

#[test]
fn a_burst_of_changes_causes_few_fetches() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    server.wait("the confirmation", |state| state.requests.len() >= 3);
    let before = server.fetches().len();
    let began = Instant::now();
    for revision in 2..=100 {
        server.publish(&snapshot(revision, &[("a", if revision % 2 == 0 { "on" } else { "off" })]));
        std::thread::sleep(millis(2));
    }
    let took = began.elapsed();
    until("the last revision", || client.ruleset().revision() == 100);
    let fetches = server.fetches()[before..].to_vec();
    // At most two requests per 50 milliseconds: a fetch and its confirmation.
    let max = 2 * (took.as_millis() / 50 + 3) as usize;
    assert!(fetches.len() <= max, "{} > {max} in {took:?}", fetches.len());
    std::thread::sleep(millis(200));
    assert_eq!(client.ruleset().revision(), 100);
}

#[test]
fn a_change_during_a_fetch_is_not_lost() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    server.wait("the confirmation", |state| state.requests.len() >= 3);
    // The response with revision 2 is still on its way when revision 3 is published.
    server.state().faults.push_back(Fault::Slow(millis(200)));
    server.publish(&snapshot(2, &[("a", "on")]));
    std::thread::sleep(millis(60));
    server.publish(&snapshot(3, &[("b", "on")]));
    until("the later revision", || client.ruleset().revision() == 3);
}

/// A client whose backoff is longer than any test waits.
fn connect_with_long_backoff(server: &Server) -> Client {
    let (options, _events) = options(&server.url());
    let timing = Timing { min_backoff: SECOND * 60, ..short_timing() };
    let client = Client::connect(options.timing(timing).max_backoff(SECOND * 60)).unwrap();
    server.wait_for_stream();
    server.wait("the confirmation", |state| state.requests.len() >= 3);
    client
}

fn wait_until_confirmed(server: &Server) {
    server.wait("the confirmation", |state| {
        let fetch = state.requests.iter().rfind(|request| !request.is_stream());
        fetch.is_some_and(|fetch| fetch.header("dezky-digest") == Some(&digest(&state.body)))
    });
}

#[test]
fn a_change_during_a_second_swap_in_a_row_is_fetched_at_once() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let client = connect_with_long_backoff(&server);
    let (second, third) = (snapshot(2, &[("b", "on")]), snapshot(3, &[("c", "on")]));
    server.state().faults.extend([Fault::Earlier(second.clone()), Fault::SlowEarlier(millis(200), third)]);
    server.publish(&second);
    std::thread::sleep(millis(60));
    server.publish(&snapshot(4, &[("d", "on")]));
    until("the latest revision", || client.ruleset().revision() == 4);
    wait_until_confirmed(&server);
}

#[test]
fn a_change_during_a_fetch_that_fails_is_fetched_at_once() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let client = connect_with_long_backoff(&server);
    // Longer than the request timeout.
    server.state().faults.push_back(Fault::Slow(SECOND * 2));
    server.publish(&snapshot(2, &[("a", "on")]));
    std::thread::sleep(millis(100));
    server.publish(&snapshot(3, &[("b", "on")]));
    until("the later revision", || client.ruleset().revision() == 3);
}

#[test]
fn the_end_of_a_burst_is_confirmed_at_once() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let client = connect_with_long_backoff(&server);
    for revision in 2..=20 {
        server.publish(&snapshot(revision, &[("a", if revision % 2 == 0 { "on" } else { "off" })]));
        until("each revision", || client.ruleset().revision() == revision);
    }
    wait_until_confirmed(&server);
}

#[test]
fn servers_that_contradict_each_other_cause_no_endless_loop() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (options, _events) = options(&server.url());
    let timing = Timing { min_backoff: millis(50), ..short_timing() };
    let client = Client::connect(options.timing(timing)).unwrap();
    server.wait_for_stream();
    wait_until_confirmed(&server);
    let before = server.fetches().len();
    let [one, other] = ["on", "off"].map(|state| Fault::Earlier(snapshot(2, &[("a", state), ("b", "on")])));
    server.state().faults.extend([one, other].into_iter().cycle().take(1_000));
    server.announce(&digest(&snapshot(2, &[("c", "on")])));
    std::thread::sleep(SECOND);
    let count = server.fetches().len() - before;
    assert!((3..20).contains(&count), "{count}");
    assert_eq!(client.ruleset().revision(), 2);
}

#[test]
fn polling_finds_a_change_that_the_stream_did_not_announce() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (options, _events) = options(&server.url());
    let client =
        Client::connect(options.timing(Timing { poll_interval: millis(100), ..short_timing() })).unwrap();
    server.wait_for_stream();
    server.set(&snapshot(2, &[("a", "on")]));
    until("the revision", || client.ruleset().revision() == 2);
    assert_eq!(server.opened_streams().len(), 1);
    let before = server.fetches().len();
    std::thread::sleep(millis(550));
    let count = server.fetches().len() - before;
    assert!((3..=7).contains(&count), "{count}");
}

#[test]
fn the_client_fetches_after_each_reconnect() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (client, _events) = connected(&server);
    for revision in 2..6 {
        server.wait_for_stream();
        server.state().mute_streams = true;
        server.set(&snapshot(revision, &[("a", "on")]));
        server.end_streams();
        until("the revision", || client.ruleset().revision() == revision);
    }
}

#[test]
fn a_silent_stream_is_closed() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (options, events) = options(&server.url());
    let client = Client::connect(options.timing(Timing { silence: millis(250), ..short_timing() })).unwrap();
    assert_eq!(events.next_name(), "ready");
    server.wait_for_stream();
    // Heartbeats keep it open.
    for _ in 0..8 {
        std::thread::sleep(millis(80));
        server.send(":\n\n");
    }
    assert_eq!(server.opened_streams().len(), 1);
    server.set(&snapshot(2, &[("a", "on")]));
    server.wait("another stream", |state| state.requests.iter().filter(|each| each.is_stream()).count() > 1);
    assert_eq!(events.next_name(), "change");
    until("the revision", || client.ruleset().revision() == 2);
}

#[test]
fn the_client_polls_where_streams_do_not_work() {
    for fault in [Fault::Status(404, ""), Fault::Reset, Fault::Status(200, ""), Fault::Garbage] {
        let server = Server::start(snapshot(1, &[("a", "off")]));
        server.state().stream_always = Some(fault);
        let (client, events) = connected(&server);
        for revision in 2..5 {
            server.set(&snapshot(revision, &[("a", "on")]));
            until("the revision", || client.ruleset().revision() == revision);
        }
        // The problem is reported once, although the client retries many times.
        let names = events.names();
        assert_eq!(names.iter().filter(|name| *name != "change").count(), 1, "{names:?}");
        assert_eq!(client.status(), ClientStatus::Ready);
    }
}

#[test]
fn the_backoff_between_streams_grows() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    server.state().stream_always = Some(Fault::Status(503, ""));
    let (options, _events) = options(&server.url());
    let _client = Client::connect(options.max_backoff(millis(400))).unwrap();
    std::thread::sleep(millis(2_500));
    let count = server.opened_streams().len();
    // The waits are 10, 20, 40, 80, 160, 320 and then 400 milliseconds, or down to half of each.
    assert!((9..=20).contains(&count), "{count}");
}

#[test]
fn rules_become_stale_and_ready_again() {
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (options, events) = options(&server.url());
    let client = Client::connect(
        options.stale_after(millis(300)).timing(Timing { poll_interval: millis(60), ..short_timing() }),
    )
    .unwrap();
    assert_eq!(events.next_name(), "ready");
    server.wait_for_stream();
    std::thread::sleep(millis(500));
    assert_eq!((client.status(), events.names()), (ClientStatus::Ready, vec![]));
    server.state().always = Some(Fault::Status(500, ""));
    assert_eq!(events.next_name(), "unexpected_status");
    let ClientEvent::Stale { age } = events.next() else { panic!() };
    assert!(age >= millis(300) && age < SECOND, "{age:?}");
    assert_eq!(client.status(), ClientStatus::Stale);
    assert!(client.is_enabled("a", &subject()));
    events.none_for(millis(500));
    server.state().always = None;
    assert_eq!(events.next(), ClientEvent::Ready { revision: 1 });
    assert_eq!(client.status(), ClientStatus::Ready);
}

#[test]
fn a_key_function_is_called_for_each_request() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let key = Key::try_from_fn(move || match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Err("the vault is locked"),
        1 => panic!("on purpose"),
        number => Ok(format!("dzk_{number}")),
    });
    let (_, events) = options("");
    let options = dezky::ConnectOptions::new(server.url(), key).timing(short_timing());
    let client = Client::connect(options).unwrap();
    server.wait("all three requests", |state| state.requests.len() >= 3);
    let mut keys: Vec<_> =
        server.state().requests.iter().map(|each| each.header("authorization").unwrap().to_owned()).collect();
    keys.sort();
    assert_eq!(keys, ["Bearer dzk_2", "Bearer dzk_3", "Bearer dzk_4"]);
    drop((client, events));
}

#[test]
fn a_slice_and_a_path_prefix_are_part_of_the_requests() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (options, _events) = options(&format!("{}/some/prefix/", server.url()));
    let _client = Client::connect(options.tenant("acme").instance("portal-7")).unwrap();
    server.wait_for_stream();
    assert_eq!(server.fetches()[0].path, "/some/prefix/flags/slice?tenant=acme");
    assert_eq!(server.opened_streams()[0].path, "/some/prefix/flags/slice/stream?tenant=acme");
    assert_eq!(server.fetches()[0].header("dezky-instance"), Some("portal-7"));
    assert_eq!(server.state().history, Some(HISTORY));
}

#[test]
fn a_handler_that_panics_does_not_affect_others() {
    let server = Server::start(snapshot(1, &[("a", "off")]));
    let (options, events) = options(&server.url());
    let client = Client::connect(options.on(|_| panic!("on purpose"))).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let id = client.on(move |event| sender.send(event.clone()).unwrap());
    assert_eq!(events.next_name(), "ready");
    server.wait_for_stream();
    server.publish(&snapshot(2, &[("a", "on")]));
    assert_eq!(events.next_name(), "change");
    assert_eq!(receiver.recv_timeout(SECOND * 5).unwrap().name(), "change");
    client.off(id);
    server.publish(&snapshot(3, &[("a", "off")]));
    assert_eq!(events.next_name(), "change");
    assert!(receiver.recv().is_err());
}
