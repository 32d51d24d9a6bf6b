//! Tests of starting a client, with and without a server.

use std::future::Future;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use dezky::{Client, ClientCode, ClientError, ClientEvent, ClientStatus, ConnectOptions, PastDeadline};

use crate::server::{Fault, Server, snapshot};
use crate::support::{SECOND, millis, options, short_timing, subject};

/// A minimal executor without sockets or timers.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

/// Checks the blocking and the asynchronous `connect`.
fn both(options: &ConnectOptions, check: impl Fn(Result<Client, ClientError>, Duration)) {
    let began = Instant::now();
    check(Client::connect(options.clone()), began.elapsed());
    let began = Instant::now();
    check(block_on(Client::connect_async(options.clone())), began.elapsed());
}

/// The URL of a port on which no server listens.
fn closed_port() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

#[test]
fn the_client_starts_with_the_servers_snapshot() {
    let server = Server::start(snapshot(7, &[("a", "on")]));
    both(&options(&server.url()).0, |client, took| {
        let client = client.unwrap();
        assert!(took < SECOND && client.is_enabled("a", &subject()));
        assert_eq!((client.status(), client.ruleset().revision()), (ClientStatus::Ready, 7));
        assert!(client.for_tenant(&subject()).is_enabled("a"));
    });
}

#[test]
fn without_a_server_connect_ends_at_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    for url in [closed_port(), silent_url, "http://no-such-host.invalid".to_owned()] {
        let deadline = millis(300);
        let options = ConnectOptions::new(url.clone(), "dzk_test").allow_http();
        let options = options.timing(short_timing()).deadline(deadline);
        both(&options, |client, took| {
            let error = client.unwrap_err();
            assert_eq!((error.code, error.path), (ClientCode::Deadline, ""));
            if let Some(cause) = error.cause {
                assert_eq!(cause.code, ClientCode::Unreachable, "{url}");
            }
            assert!(took >= deadline && took < deadline + millis(250), "{took:?}");
        });
        both(&options.clone().past_deadline(PastDeadline::File), |client, took| {
            assert_eq!(client.unwrap_err().code, ClientCode::Deadline);
            assert!(took < deadline + millis(250), "{took:?}");
        });
        both(&options.past_deadline(PastDeadline::Off), |client, took| {
            let client = client.unwrap();
            assert!(took >= deadline && took < deadline + millis(250), "{took:?}");
            assert_eq!((client.status(), client.ruleset().revision()), (ClientStatus::Stale, 0));
            assert!(!client.is_enabled("a", &subject()));
        });
    }
}

#[test]
fn a_client_with_every_flag_off_keeps_retrying() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (options, events) = options(&format!("http://{address}"));
    let options = options.deadline(millis(100)).past_deadline(PastDeadline::Off);
    let client = Client::connect(options).unwrap();
    assert_eq!([events.next_name(), events.next_name()], ["unreachable", "stale"]);
    let server = Server::on(TcpListener::bind(address).unwrap(), snapshot(3, &[("a", "on")]));
    assert_eq!(events.next(), ClientEvent::Ready { revision: 3 });
    assert_eq!(events.next_change(), (3, vec!["a".into()]));
    assert!(client.is_enabled("a", &subject()) && client.status() == ClientStatus::Ready);
    drop(server);
}

#[test]
fn connect_waits_for_a_slow_server() {
    let server = Server::start(snapshot(3, &[("a", "on")]));
    server.state().faults.push_back(Fault::Slow(millis(400)));
    let client = Client::connect(options(&server.url()).0).unwrap();
    assert_eq!(client.ruleset().revision(), 3);
}

#[test]
fn a_refused_key_ends_connect_before_the_deadline() {
    let server = Server::start(snapshot(3, &[("a", "on")]));
    server.state().always = Some(Fault::Status(401, ""));
    both(&options(&server.url()).0, |client, took| {
        assert_eq!(client.unwrap_err().code, ClientCode::KeyRefused);
        assert!(took < SECOND * 2);
    });
    both(&options(&server.url()).0.past_deadline(PastDeadline::Off), |client, took| {
        let client = client.unwrap();
        assert!(took < SECOND * 2 && client.status() == ClientStatus::Refused);
        assert!(!client.is_enabled("a", &subject()));
    });
    let file = crate::support::folder().join("flags.json");
    std::fs::write(&file, snapshot(2, &[("a", "on")])).unwrap();
    both(&options(&server.url()).0.file(&file).past_deadline(PastDeadline::Fail), |client, _| {
        assert_eq!(client.unwrap_err().code, ClientCode::KeyRefused);
    });
    both(&options(&server.url()).0.file(&file), |client, took| {
        let client = client.unwrap();
        assert!(took < SECOND * 2 && client.is_enabled("a", &subject()));
        assert_eq!((client.status(), client.ruleset().revision()), (ClientStatus::Refused, 2));
    });
    let (options, events) = options(&server.url());
    let client = Client::connect(options.file(&file)).unwrap();
    assert_eq!([events.next_name(), events.next_name()], ["key_refused", "ready"]);
    server.state().always = None;
    assert_eq!(events.next(), ClientEvent::Ready { revision: 3 });
    assert_eq!(client.status(), ClientStatus::Ready);
}

#[test]
fn with_a_file_connect_does_not_wait_for_an_unreachable_server() {
    let file = crate::support::folder().join("flags.json");
    std::fs::write(&file, snapshot(5, &[("a", "on")])).unwrap();
    both(&options(&closed_port()).0.file(&file), |client, took| {
        let client = client.unwrap();
        assert!(took < SECOND && client.is_enabled("a", &subject()), "{took:?}");
        assert_eq!(client.ruleset().revision(), 5);
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (options, events) = options(&format!("http://{address}"));
    let client = Client::connect(options.file(&file)).unwrap();
    assert_eq!(
        [events.next_name(), events.next_name(), events.next_name()],
        ["unreachable", "ready", "stale"]
    );
    assert_eq!(client.status(), ClientStatus::Stale);
    // The client keeps retrying.
    let _server = Server::on(TcpListener::bind(address).unwrap(), snapshot(6, &[("a", "off")]));
    assert_eq!(events.next(), ClientEvent::Ready { revision: 6 });
    assert_eq!(events.next_change(), (6, vec!["a".into()]));
}

#[test]
fn with_a_file_connect_waits_until_the_deadline_for_a_failing_server() {
    let file = crate::support::folder().join("flags.json");
    std::fs::write(&file, snapshot(5, &[("a", "on")])).unwrap();
    let server = Server::start(snapshot(6, &[("a", "off")]));
    server.state().always = Some(Fault::Status(503, ""));
    let deadline = millis(300);
    both(&options(&server.url()).0.file(&file).deadline(deadline), |client, took| {
        assert_eq!(client.unwrap().ruleset().revision(), 5);
        assert!(took >= deadline && took < deadline + millis(250), "{took:?}");
    });
    server.state().always = None;
    server.state().faults.push_back(Fault::Status(503, ""));
    both(&options(&server.url()).0.file(&file), |client, _| {
        assert_eq!(client.unwrap().ruleset().revision(), 6)
    });
}

#[test]
fn plain_http_to_another_machine_needs_allow_http() {
    for url in [
        "http://flags.example",
        "http://10.0.0.7:7070",
        "http://[2001:db8::1]",
        "http://localhost.example",
        "http://127.example",
    ] {
        both(&ConnectOptions::new(url, "dzk_test"), |client, _| {
            let error = client.unwrap_err();
            assert_eq!((error.code, error.path), (ClientCode::InsecureUrl, "/url"), "{url}");
            assert!(!error.to_string().contains("dzk_test"));
        });
        let options = ConnectOptions::new(url, "dzk_test").allow_http().timing(short_timing());
        let given = options.snapshot(snapshot(1, &[("a", "on")]));
        both(&given, |client, _| assert!(client.unwrap().is_enabled("a", &subject())));
    }
    for url in [
        "http://127.0.0.1:1",
        "http://127.1.2.3:1",
        "http://[::1]:1",
        "http://localhost:1",
        "http://LOCALHOST:1",
        "http://flags.localhost:1",
    ] {
        let options = ConnectOptions::new(url, "dzk_test").timing(short_timing());
        both(&options.snapshot(snapshot(1, &[])), |client, _| drop(client.unwrap()));
    }
}

#[test]
fn with_a_snapshot_connect_does_not_wait() {
    let given = snapshot(5, &[("a", "on")]);
    let (options, events) = options(&closed_port());
    let began = Instant::now();
    let client = Client::connect(options.snapshot(given.clone()).stale_after(millis(300))).unwrap();
    assert!(began.elapsed() < millis(250));
    assert_eq!(events.next(), ClientEvent::Ready { revision: 5 });
    assert!(client.is_enabled("a", &subject()));
    assert_eq!([events.next_name(), events.next_name()], ["unreachable", "stale"]);
    // The server's snapshot replaces it even if it is older, because the given one has no history.
    let server = Server::start(snapshot(4, &[("a", "off")]));
    let (options, events) = crate::support::options(&server.url());
    let client = Client::connect(options.snapshot(given)).unwrap();
    assert_eq!(events.next(), ClientEvent::Ready { revision: 5 });
    assert_eq!(events.next_change(), (4, vec!["a".into()]));
    assert!(!client.is_enabled("a", &subject()));
}

#[test]
fn the_newer_of_snapshot_and_file_is_used() {
    let file = crate::support::folder().join("flags.json");
    std::fs::write(&file, snapshot(5, &[])).unwrap();
    for (given, used) in [(4, 5), (6, 6)] {
        let (options, _events) = options(&closed_port());
        let client = Client::connect(options.file(&file).snapshot(snapshot(given, &[]))).unwrap();
        assert_eq!(client.ruleset().revision(), used);
    }
}

#[test]
fn malformed_options_are_reported_with_their_path() {
    let good = || ConnectOptions::new("http://127.0.0.1:1", "dzk_test");
    let cases = [
        ("/url", ConnectOptions::new("flags.example", "k")),
        ("/url", ConnectOptions::new("", "k")),
        ("/url", ConnectOptions::new("ftp://flags.example", "k")),
        ("/url", ConnectOptions::new("https://flags.example/?a=b", "k")),
        ("/url", ConnectOptions::new("https://flags.example/#a", "k")),
        ("/url", ConnectOptions::new("https://ada:secret@flags.example/", "k")),
        ("/key", ConnectOptions::new("http://127.0.0.1:1", "")),
        ("/key", ConnectOptions::new("http://127.0.0.1:1", "a b")),
        ("/key", ConnectOptions::new("http://127.0.0.1:1", "a\r\nhost: other")),
        ("/tenant", good().tenant("Not a slug")),
        ("/instance", good().instance("")),
        ("/instance", good().instance("a".repeat(65))),
        ("/instance", good().instance("a/b")),
        ("/stale_after", good().stale_after(Duration::ZERO)),
        ("/max_backoff", good().max_backoff(Duration::ZERO)),
        ("/snapshot", good().snapshot(*b"{}")),
    ];
    for (path, options) in cases {
        both(&options, |client, _| {
            let error = client.unwrap_err();
            assert_eq!((error.code, error.path), (ClientCode::InvalidOption, path));
            assert_eq!(error.snapshot_error.is_some(), path == "/snapshot");
        });
    }
}

#[test]
fn the_longest_durations_are_accepted() {
    let server = Server::start(snapshot(3, &[("a", "on")]));
    let (options, _events) = options(&server.url());
    let max = Duration::MAX;
    let client = Client::connect(options.deadline(max).stale_after(max).max_backoff(max)).unwrap();
    assert_eq!(client.status(), ClientStatus::Ready);
}

#[test]
fn a_handler_that_blocks_does_not_delay_the_deadline() {
    let url = closed_port();
    let options = options(&url).0.on(|_| thread::sleep(SECOND * 2)).deadline(millis(300));
    let began = Instant::now();
    assert_eq!(Client::connect(options.clone()).unwrap_err().code, ClientCode::Deadline);
    assert!(began.elapsed() < millis(600), "{:?}", began.elapsed());
    let began = Instant::now();
    let client = Client::connect(options.past_deadline(PastDeadline::Off)).unwrap();
    assert!(began.elapsed() < millis(600) && !client.is_enabled("a", &subject()));
    client.close_within(Duration::ZERO);
}
