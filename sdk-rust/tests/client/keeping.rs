//! The last-known-good file, over restarts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use dezky::flags::Snapshot;
use dezky::{Client, ClientCode, ClientEvent, ClientStatus, PastDeadline};

use crate::server::{Fault, HISTORY, Request, Server, digest, snapshot};
use crate::support::{SECOND, folder, millis, options, subject};

#[test]
fn each_accepted_snapshot_is_kept() {
    let (file, server) = (folder().join("flags.json"), Server::start(snapshot(1, &[("a", "off")])));
    let (options, events) = options(&server.url());
    let _client = Client::connect(options.file(&file)).unwrap();
    assert_eq!(events.next_name(), "ready");
    let kept = |revision, state| {
        let whole = snapshot(revision, &[("a", state)]);
        format!("{},\"history\":\"{HISTORY}\"}}", &whole[..whole.len() - 1])
    };
    assert_eq!(fs::read_to_string(&file).unwrap(), kept(1, "off"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.wait_for_stream();
    server.publish(&snapshot(2, &[("a", "on")]));
    assert_eq!(events.next_name(), "change");
    crate::support::until("the file", || fs::read_to_string(&file).unwrap() == kept(2, "on"));
    // Any SDK reads it as a snapshot.
    let read = Snapshot::from_json(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(read.digest().as_str(), digest(&snapshot(2, &[("a", "on")])));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_restart_asks_only_whether_the_file_is_what_is_out() {
    let file = folder().join("flags.json");
    let server = Server::start(snapshot(4, &[("a", "on")]));
    drop(Client::connect(options(&server.url()).0.file(&file)).unwrap());
    let (options, events) = options(&server.url());
    let client = Client::connect(options.file(&file)).unwrap();
    assert_eq!(events.next(), ClientEvent::Ready { revision: 4 });
    assert!(client.is_enabled("a", &subject()));
    server.wait_for_stream();
    // The last words of the client before may still have been on their way.
    let instance = client.instance();
    let is_ours = |request: &Request| request.header("dezky-instance") == Some(&instance);
    server.wait("the confirmation", |state| state.requests.iter().filter(|each| is_ours(each)).count() >= 3);
    let fetches: Vec<_> = server.fetches().into_iter().filter(is_ours).collect();
    let told: Vec<_> =
        fetches.iter().map(|each| (each.status, each.header("dezky-digest").is_some())).collect();
    assert_eq!(told, [(304, false), (304, true)]);
}

#[test]
fn the_guard_against_older_revisions_holds_over_a_restart() {
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
    // With everything off instead, it is still not gone back.
    let (options, events) = quick();
    let off = Client::connect(options.past_deadline(PastDeadline::Off)).unwrap();
    assert_eq!([events.next_name(), events.next_name()], ["older_revision", "stale"]);
    events.none_for(millis(300));
    assert_eq!(off.ruleset().revision(), 0);
    // Another server is another matter.
    server.state().history = Some("history-2");
    assert_eq!([events.next_name(), events.next_name()], ["ready", "change"]);
    crate::support::until("both", || client.ruleset().revision() == 3 && off.ruleset().revision() == 3);
}

#[test]
fn the_file_tells_its_age_past_the_deadline() {
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
fn a_file_that_is_no_use_is_one_error() {
    let cut = snapshot(1, &[("a", "on")]);
    for content in ["", "{}", "nonsense", &cut[..cut.len() / 2]] {
        let file = folder().join("flags.json");
        fs::write(&file, content).unwrap();
        let server = Server::start(snapshot(2, &[("a", "on")]));
        let (options, events) = options(&server.url());
        let _client = Client::connect(options.file(&file)).unwrap();
        assert_eq!([events.next_name(), events.next_name()], ["file_unusable", "ready"]);
        // And is good again now.
        assert!(Snapshot::from_json(&fs::read(&file).unwrap()).is_ok());
    }
}

#[test]
fn a_file_that_cannot_be_written_is_one_error() {
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
