//! Tests of the last-known-good file across restarts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use dezky::flags::Snapshot;
use dezky::{Client, ClientCode, ClientEvent, ClientStatus, PastDeadline};

use crate::server::{Fault, HISTORY, Request, Server, digest, snapshot};
use crate::support::{SECOND, folder, millis, options, subject};

#[test]
fn each_accepted_snapshot_is_written_to_the_file() {
    let (file, server) = (folder().join("flags.json"), Server::start(snapshot(1, &[("a", "off")])));
    let (options, events) = options(&server.url());
    let _client = Client::connect(options.file(&file)).unwrap();
    assert_eq!(events.next_name(), "ready");
    let document = |revision, state| {
        let whole = snapshot(revision, &[("a", state)]);
        format!("{},\"history\":\"{HISTORY}\"}}", &whole[..whole.len() - 1])
    };
    assert_eq!(fs::read_to_string(&file).unwrap(), document(1, "off"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.wait_for_stream();
    server.publish(&snapshot(2, &[("a", "on")]));
    assert_eq!(events.next_name(), "change");
    crate::support::until("the file", || fs::read_to_string(&file).unwrap() == document(2, "on"));
    // Every SDK can read the file as a snapshot.
    let read = Snapshot::from_json(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(read.digest().as_str(), digest(&snapshot(2, &[("a", "on")])));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn after_a_restart_the_request_names_the_snapshot_of_the_file() {
    let file = folder().join("flags.json");
    let server = Server::start(snapshot(4, &[("a", "on")]));
    drop(Client::connect(options(&server.url()).0.file(&file)).unwrap());
    let (options, events) = options(&server.url());
    let client = Client::connect(options.file(&file)).unwrap();
    assert_eq!(events.next(), ClientEvent::Ready { revision: 4 });
    assert!(client.is_enabled("a", &subject()));
    server.wait_for_stream();
    // The last request of the previous client may arrive late.
    let instance = client.instance();
    let is_ours = |request: &Request| request.header("dezky-instance") == Some(&instance);
    server.wait("the confirmation", |state| state.requests.iter().filter(|each| is_ours(each)).count() >= 3);
    let fetches: Vec<_> = server.fetches().into_iter().filter(is_ours).collect();
    let seen: Vec<_> =
        fetches.iter().map(|each| (each.status, each.header("dezky-digest").is_some())).collect();
    assert_eq!(seen, [(304, false), (304, true)]);
}

#[test]
fn older_revisions_are_rejected_after_a_restart() {
    let file = folder().join("flags.json");
    let server = Server::start(snapshot(7, &[("a", "on")]));
    drop(Client::connect(options(&server.url()).0.file(&file)).unwrap());
    server.set(&snapshot(3, &[("a", "off")]));
    let quick = || {
        let (options, events) = options(&server.url());
        (options.file(&file).deadline(millis(300)), events)
    };
    let error = Client::connect(quick().0.past_deadline(PastDeadline::Fail)).unwrap_err();
    assert_eq!((error.code, error.cause.unwrap().code), (ClientCode::Deadline, ClientCode::OlderRevision));
    let (options, events) = quick();
    let client = Client::connect(options).unwrap();
    assert_eq!(
        [events.next_name(), events.next_name(), events.next_name()],
        ["older_revision", "ready", "stale"]
    );
    assert_eq!((client.ruleset().revision(), client.status()), (7, ClientStatus::Stale));
    // A client that starts with every flag off rejects the older revision, too.
    let (options, events) = quick();
    let off = Client::connect(options.past_deadline(PastDeadline::Off)).unwrap();
    assert_eq!([events.next_name(), events.next_name()], ["older_revision", "stale"]);
    events.none_for(millis(300));
    assert_eq!(off.ruleset().revision(), 0);
    // Another history has no order with this one.
    server.state().history = Some("history-2");
    assert_eq!([events.next_name(), events.next_name()], ["ready", "change"]);
    crate::support::until("both", || client.ruleset().revision() == 3 && off.ruleset().revision() == 3);
}

#[test]
fn the_age_of_the_file_is_reported_past_the_deadline() {
    let file = folder().join("flags.json");
    fs::write(&file, snapshot(5, &[("a", "on")])).unwrap();
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().write(true).open(&file).unwrap().set_modified(hour_ago).unwrap();
    let server = Server::start(snapshot(6, &[("a", "off")]));
    server.state().always = Some(Fault::Slow(millis(100)));
    let (options, events) = options(&server.url());
    let options = options.file(&file).deadline(millis(50));
    let client = Client::connect(options).unwrap();
    assert_eq!((client.ruleset().revision(), client.status()), (5, ClientStatus::Stale));
    assert_eq!(events.next(), ClientEvent::Ready { revision: 5 });
    let ClientEvent::Stale { age } = events.next() else { panic!() };
    assert!(age >= SECOND * 3600 && age < SECOND * 3605, "{age:?}");
    assert_eq!(events.next(), ClientEvent::Ready { revision: 6 });
    assert_eq!(events.next_change(), (6, vec!["a".into()]));
}

#[test]
fn a_malformed_file_is_reported_once_and_replaced() {
    let cut = snapshot(1, &[("a", "on")]);
    for content in ["", "{}", "nonsense", &cut[..cut.len() / 2]] {
        let file = folder().join("flags.json");
        fs::write(&file, content).unwrap();
        let server = Server::start(snapshot(2, &[("a", "on")]));
        let (options, events) = options(&server.url());
        let _client = Client::connect(options.file(&file)).unwrap();
        assert_eq!([events.next_name(), events.next_name()], ["file_unusable", "ready"]);
        assert!(Snapshot::from_json(&fs::read(&file).unwrap()).is_ok());
    }
}

#[test]
fn a_file_that_cannot_be_written_is_reported_once() {
    let file = folder().join("no such folder").join("flags.json");
    let server = Server::start(snapshot(1, &[("a", "on")]));
    let (options, events) = options(&server.url());
    let client = Client::connect(options.file(&file)).unwrap();
    assert_eq!([events.next_name(), events.next_name()], ["ready", "file_unusable"]);
    server.wait_for_stream();
    server.publish(&snapshot(2, &[("a", "off")]));
    assert_eq!(events.next_name(), "change");
    events.none_for(millis(100));
    assert_eq!(client.status(), ClientStatus::Ready);
}
