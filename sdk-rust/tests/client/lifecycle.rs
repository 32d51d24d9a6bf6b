//! Tests that a closed client leaves nothing behind.
//!
//! This is a test program of its own, because it counts the threads and files of the process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    missing_docs
)]

mod server;
mod support;

use std::fs;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use dezky::{Client, ClientEvent, ClientStatus, ConnectOptions, Key};

use crate::server::{Fault, Server, digest, snapshot};
use crate::support::{SECOND, connected, millis, options, short_timing, subject, until};

/// Makes the tests run one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn client_threads() -> usize {
    let names = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("dezky-client")).count()
}

/// The number of open sockets, files and event queues.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until no more files are open than before. Otherwise fails with the list of open files.
fn wait_for_open_files(before: usize) {
    let began = Instant::now();
    while open_files() > before {
        let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let open: Vec<_> = files.map(|entry| fs::read_link(entry.path()).unwrap_or_default()).collect();
        assert!(began.elapsed() < SECOND * 60, "{before} files were open, and now {open:?}");
        std::thread::sleep(millis(2));
    }
}

/// The number of open files, once earlier tests have closed theirs.
fn settled_files() -> usize {
    // If tokio's signal handling is compiled in, the first runtime opens two files for good.
    drop(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    let mut count = open_files();
    loop {
        std::thread::sleep(millis(150));
        let now = open_files();
        if now == count {
            return count;
        }
        count = now;
    }
}

#[test]
fn closing_leaves_no_thread_and_no_file() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    for by_name in [false, true] {
        let url = if by_name { server.url().replace("127.0.0.1", "localhost") } else { server.url() };
        let before = settled_files();
        for _ in 0..5 {
            let key = if by_name { Key::from_fn(|| "dzk_test".into()) } else { Key::from("dzk_test") };
            let client =
                Client::connect(ConnectOptions::new(url.clone(), key).timing(short_timing())).unwrap();
            server.wait_for_stream();
            assert!(client_threads() >= 1);
            client.close();
            client.close();
            assert_eq!(client.status(), ClientStatus::Closed);
            assert!(client.is_enabled("a", &subject()));
            until("no thread", || client_threads() == 0);
            wait_for_open_files(before);
            server.wait("no stream", |state| state.streams.is_empty());
        }
    }
}

#[test]
fn a_failed_start_leaves_no_thread_and_no_file() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = settled_files();
    for _ in 0..5 {
        let options =
            ConnectOptions::new("http://127.0.0.1:1", "dzk_test").timing(short_timing()).deadline(millis(50));
        assert!(Client::connect(options).is_err());
    }
    until("no thread", || client_threads() == 0);
    wait_for_open_files(before);
}

#[test]
fn a_client_has_one_thread() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(client_threads(), 1);
    drop(client);
    until("no thread", || client_threads() == 0);
}

#[test]
fn closing_signs_off() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let rules = server.state().body.clone();
    type Act = fn(Client);
    let acts: [(Option<&str>, Act); 4] = [
        (None, |client| client.close()),
        (None, drop),
        (None, |client| client.close_within(SECOND)),
        (Some("acme"), |client| client.close()),
    ];
    for (count, (tenant, act)) in acts.into_iter().enumerate() {
        let (options, _events) = options(&server.url());
        let options = options.instance(format!("portal-{count}"));
        let client = Client::connect(match tenant {
            Some(slug) => options.tenant(slug),
            None => options,
        });
        server.wait_for_stream();
        act(client.unwrap());
        let sign_offs = server.sign_offs();
        assert_eq!(sign_offs.len(), count + 1);
        let last = sign_offs.last().unwrap();
        let path = if tenant.is_some() { "/flags/slice?tenant=acme" } else { "/flags/snapshot" };
        assert_eq!((last.path.as_str(), last.status, last.header("dezky-closing")), (path, 304, Some("1")));
        assert_eq!(last.header("dezky-instance"), Some(format!("portal-{count}").as_str()));
        assert_eq!(last.header("if-none-match"), Some(format!("\"{}\"", digest(&rules)).as_str()));
        assert_eq!(last.header("authorization"), Some("Bearer dzk_test"));
        server.wait("no stream", |state| state.streams.is_empty());
    }
}

#[test]
fn signing_off_takes_at_most_a_second_and_never_fails_a_close() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    for fault in [Fault::Slow(SECOND * 3), Fault::Reset, Fault::Status(500, ""), Fault::Status(401, "")] {
        let (client, events) = connected(&server);
        server.wait_for_stream();
        server.wait("the confirmation", |state| {
            let ours = client.instance();
            state.requests.iter().filter(|each| each.header("dezky-instance") == Some(&ours)).count() >= 3
        });
        server.state().faults.push_back(fault);
        let began = Instant::now();
        client.close();
        assert!(began.elapsed() < millis(1_500), "{:?}", began.elapsed());
        assert_eq!((client.status(), events.names()), (ClientStatus::Closed, vec![]));
        until("no thread", || client_threads() == 0);
        server.wait("no stream", |state| state.streams.is_empty());
    }
    let before = server.state().requests.len();
    let (client, _events) = connected(&server);
    client.pause();
    client.close();
    assert!(server.state().requests[before..].iter().all(|each| each.header("dezky-closing").is_none()));
    // A server that was never reached gets no last request.
    let (options, _events) = options("http://127.0.0.1:1");
    let client = Client::connect(options.snapshot(snapshot(1, &[]))).unwrap();
    let began = Instant::now();
    drop(client);
    assert!(began.elapsed() < millis(500), "{:?}", began.elapsed());
}

#[test]
fn no_event_is_emitted_after_close() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    for round in 0..20 {
        let (client, events) = connected(&server);
        server.wait_for_stream();
        server.publish(&snapshot(round + 2, &[("a", if round % 2 == 0 { "off" } else { "on" })]));
        std::thread::sleep(millis(round));
        client.close();
        events.names();
        server.publish(&snapshot(round + 2, &[("b", "on")]));
        events.none_for(millis(20));
    }
}

#[test]
fn a_handler_may_close_its_client() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (client, events) = connected(&server);
    let client = Arc::new(client);
    let cell: Arc<OnceLock<Arc<Client>>> = Arc::default();
    cell.set(client.clone()).unwrap();
    let inner = cell.clone();
    client.on(move |_| inner.get().unwrap().close());
    server.wait_for_stream();
    server.publish(&snapshot(2, &[("a", "off")]));
    assert_eq!(events.next_name(), "change");
    until("the close", || client.status() == ClientStatus::Closed && client_threads() == 0);
    server.wait("no stream", |state| state.streams.is_empty());
    assert!(!client.is_enabled("a", &subject()));
}

#[test]
fn a_pause_ends_the_thread_and_resuming_starts_another() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (client, events) = connected(&server);
    for round in 0..5 {
        server.wait_for_stream();
        client.pause();
        client.pause();
        until("no thread", || client_threads() == 0);
        server.wait("no stream", |state| state.streams.is_empty());
        assert!(client.ruleset().revision() == round + 1);
        server.set(&snapshot(round + 2, &[("a", if round % 2 == 0 { "off" } else { "on" })]));
        client.resume();
        client.resume();
        assert_eq!(events.next_change(), (round + 2, vec!["a".into()]));
        server.wait_for_stream();
        assert_eq!(client_threads(), 1);
    }
    client.pause();
    client.close();
    client.resume();
    until("no thread", || client_threads() == 0);
}

#[test]
fn two_hundred_reconnects_leave_no_thread_and_no_file() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (options, events) = options(&server.url());
    let client = Client::connect(options.max_backoff(millis(1))).unwrap();
    server.wait_for_stream();
    let before = settled_files();
    for _ in 0..200 {
        server.wait_for_stream();
        server.end_streams();
    }
    server.wait_for_stream();
    until("no more files", || open_files() <= before + 2);
    assert!(client_threads() == 1 && client.status() == ClientStatus::Ready);
    while let Ok(event) = events.0.recv_timeout(millis(1)) {
        assert!(!matches!(event, ClientEvent::Stale { .. }));
    }
}
