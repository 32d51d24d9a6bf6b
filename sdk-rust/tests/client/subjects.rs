//! Subjects by slug: resolved, cached, asked for again when the population has moved, served without a server.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use dezky::flags::Axis;
use dezky::testing::Timing;
use dezky::{Client, ClientCode, ClientStatus};

use crate::server::{Fault, Server, digest, event, snapshot};
use crate::support::{SECOND, connected, hasty, millis, options, until};

fn subject(plan: &str) -> String {
    format!(
        r#"{{"tenantId":"t1","tenantSlug":"acme","plan":"{plan}","partnerSlug":"nordic","newer":{{"a":1}}}}"#
    )
}

fn plan_of(client: &Client) -> String {
    client.subject("acme").unwrap().subject().value(Axis::Plans).unwrap().to_owned()
}

/// A server with one tenant that a client follows.
fn serving() -> Server {
    let server = Server::start(snapshot(1, &[("a", "on")]));
    server.state().subjects.insert("acme".into(), subject("business"));
    server.state().population = Some(7);
    server
}

/// Moves the tenant to another plan, and says so on the stream.
fn move_to(server: &Server, plan: &str, population: u64) {
    {
        let mut state = server.state();
        state.subjects.insert("acme".into(), subject(plan));
        state.population = Some(population);
    }
    let digest = digest(&server.state().body);
    server.send(&event(&digest).replace("\"}", &format!("\",\"population\":{population}}}")));
}

#[test]
fn it_is_resolved_once_and_has_every_name() {
    let server = serving();
    let (client, _events) = connected(&server);
    for _ in 0..100 {
        let acme = client.subject("acme").unwrap();
        let subject = acme.subject();
        assert_eq!((subject.tenant_id(), subject.value(Axis::TenantSlugs)), ("t1", Some("acme")));
        assert_eq!(
            (subject.value(Axis::Plans), subject.value(Axis::PartnerSlugs)),
            (Some("business"), Some("nordic"))
        );
        assert!(client.is_enabled("a", &subject));
    }
    let asked = server.subject_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/tenants/acme/subject");
    assert_eq!(asked[0].header("authorization"), Some("Bearer dzk_test"));
}

#[test]
fn it_follows_changes() {
    let server = serving();
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    let began = Instant::now();
    move_to(&server, "free", 8);
    until("the other plan", || plan_of(&client) == "free");
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    // Another tenant's change costs a request that says so, and nothing else.
    let fetches = server.fetches().len();
    move_to(&server, "free", 9);
    until("another request", || {
        assert_eq!(plan_of(&client), "free");
        server.subject_requests().len() == 3
    });
    let last = server.subject_requests().pop().unwrap();
    assert_eq!((last.status, last.header("if-none-match").is_some()), (304, true));
    assert_eq!(plan_of(&client), "free");
    assert_eq!((server.subject_requests().len(), server.fetches().len()), (3, fetches));
}

#[test]
fn without_a_stream_a_poll_interval_says_that_the_population_moved() {
    let server = serving();
    server.state().stream_always = Some(Fault::Status(404, ""));
    let (options, _events) = options(&server.url());
    let client = Client::connect(options.timing(Timing { poll_interval: millis(50), ..hasty() })).unwrap();
    assert_eq!(plan_of(&client), "business");
    server.state().subjects.insert("acme".into(), subject("free"));
    server.state().population = Some(8);
    until("the other plan", || plan_of(&client) == "free");
}

#[test]
fn a_slice_expires_its_subject_when_its_digest_moves() {
    let server = serving();
    server.state().population = None;
    let (options, _events) = options(&server.url());
    let client = Client::connect(options.tenant("acme")).unwrap();
    server.wait_for_stream();
    assert_eq!((plan_of(&client), plan_of(&client)), ("business".into(), "business".into()));
    assert_eq!(server.subject_requests().len(), 1);
    server.state().subjects.insert("acme".into(), subject("free"));
    server.publish(&snapshot(2, &[("a", "off")]));
    until("the other plan", || plan_of(&client) == "free");
}

#[test]
fn without_the_server_the_last_known_one_is_served_at_once() {
    let server = serving();
    let (client, events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    // The server says that something has changed, and fails from then on.
    server.state().subject_always = Some(Fault::Status(503, ""));
    move_to(&server, "free", 8);
    until("a failure", || {
        assert_eq!(plan_of(&client), "business");
        server.subject_requests().len() == 2
    });
    // It is left alone for a second then.
    for _ in 0..100 {
        assert_eq!(plan_of(&client), "business");
    }
    assert_eq!(server.subject_requests().len(), 2);
    server.state().subject_always = None;
    until("the other plan", || plan_of(&client) == "free");
    // It is away for everything.
    let refused = Some(Fault::Status(401, ""));
    {
        let mut state = server.state();
        (state.always, state.stream_always, state.subject_always) =
            (refused.clone(), refused.clone(), refused);
    }
    server.end_streams();
    assert_eq!(events.next_name(), "key_refused");
    until("the refusal", || client.status() == ClientStatus::Refused);
    let asked = server.subject_requests().len();
    assert_eq!((plan_of(&client), server.subject_requests().len()), ("free".into(), asked));
    let error = client.subject("umbrella").unwrap_err();
    assert_eq!((error.code, error.server_code.as_deref()), (ClientCode::KeyRefused, Some("some_reason")));
    client.close();
    assert_eq!(plan_of(&client), "free");
    assert_eq!(client.subject("umbrella").unwrap_err().code, ClientCode::Unreachable);
}

#[test]
fn a_server_that_is_slow_holds_up_nobody_who_can_be_served() {
    let server = serving();
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    server.state().subject_faults.push_back(Fault::Slow(millis(600)));
    move_to(&server, "free", 8);
    until("a request", || {
        let began = Instant::now();
        assert_eq!(plan_of(&client), "business");
        assert!(began.elapsed() < millis(550), "{:?}", began.elapsed());
        server.state().subject_faults.is_empty()
    });
    until("the other plan", || plan_of(&client) == "free");
}

#[test]
fn whoever_asks_at_the_same_time_shares_a_request() {
    let server = serving();
    server.state().subject_faults.push_back(Fault::Slow(millis(200)));
    let client = Arc::new(connected(&server).0);
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || plan_of(&client))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "business");
    }
    assert_eq!(server.subject_requests().len(), 1);
}

#[test]
fn what_is_no_tenant_is_an_error_with_a_code() {
    let server = serving();
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    for slug in ["", "Acme", "a/b", "a?b", "..", "acme%2f", &"a".repeat(64)] {
        let error = client.subject(slug).unwrap_err();
        assert_eq!((error.code, error.path), (ClientCode::InvalidSlug, "/slug"), "{slug}");
    }
    assert!(server.subject_requests().is_empty());
    let error = client.subject("nobody").unwrap_err();
    assert_eq!((error.code, error.path), (ClientCode::UnknownTenant, "/slug"));
    // A tenant that is gone is not served from memory.
    assert_eq!(plan_of(&client), "business");
    server.state().subjects.clear();
    let digest = digest(&server.state().body);
    server.send(&event(&digest).replace("\"}", "\",\"population\":8}"));
    until("the end", || client.subject("acme").is_err());
    assert_eq!(client.subject("acme").unwrap_err().code, ClientCode::UnknownTenant);
}

#[test]
fn an_answer_that_is_no_subject_is_not_taken() {
    let server = serving();
    let (client, _events) = connected(&server);
    for body in [
        "",
        "[]",
        "{}",
        r#"{"tenantId":"t1","tenantSlug":"umbrella","plan":"business"}"#,
        r#"{"tenantId":"t1","tenantSlug":"acme","plan":"business","partnerSlug":7}"#,
        r#"{"tenantId":"t1","tenantSlug":"acme","plan":"business"} "#.trim_end_matches(['}', ' ']),
    ] {
        server.state().subjects.insert("acme".into(), body.into());
        assert_eq!(client.subject("acme").unwrap_err().code, ClientCode::UnexpectedStatus, "{body}");
    }
    server.state().subjects.insert("acme".into(), subject("business").replace("\"nordic\"", "null"));
    assert_eq!(client.subject("acme").unwrap().subject().value(Axis::PartnerSlugs), None);
}

#[test]
fn a_handler_is_served_from_memory_and_cannot_wait() {
    let server = serving();
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    let client = Arc::new(client);
    let (tell, told) = mpsc::channel();
    let (weak, tell) = (Arc::downgrade(&client), Mutex::new(tell));
    client.on(move |_| {
        let client = weak.upgrade().unwrap();
        let known = client.subject("acme").map(|subject| subject.subject().tenant_id().to_owned());
        let other = client.subject("umbrella").unwrap_err().code;
        tell.lock().unwrap().send((known.unwrap(), other)).unwrap();
    });
    server.publish(&snapshot(2, &[("a", "off")]));
    assert_eq!(told.recv_timeout(SECOND * 5).unwrap(), ("t1".into(), ClientCode::Unreachable));
}

#[test]
fn the_cache_is_bounded() {
    let server = serving();
    let (client, _events) = connected(&server);
    for number in 0..4_200 {
        let slug = format!("tenant-{number}");
        let body = format!(r#"{{"tenantId":"t{number}","tenantSlug":"{slug}","plan":"free"}}"#);
        server.state().subjects.insert(slug.clone(), body);
        client.subject(&slug).unwrap();
    }
    let asked = server.subject_requests().len();
    client.subject("tenant-4199").unwrap();
    client.subject("tenant-200").unwrap();
    assert_eq!(server.subject_requests().len(), asked);
    client.subject("tenant-0").unwrap();
    assert_eq!(server.subject_requests().len(), asked + 1);
}
