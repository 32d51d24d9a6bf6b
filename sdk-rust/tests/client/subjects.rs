//! Tests of subjects by slug: cached, expired by population changes, returned without a server.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use dezky::flags::Axis;
use dezky::testing::Timing;
use dezky::{Client, ClientCode, ClientStatus};

use crate::server::{Fault, Server, digest, event, snapshot};
use crate::support::{SECOND, connected, millis, options, short_timing, until};

fn subject(plan: &str) -> String {
    format!(
        r#"{{"tenantId":"t1","tenantSlug":"acme","plan":"{plan}","partnerSlug":"nordic","newer":{{"a":1}}}}"#
    )
}

fn plan_of(client: &Client) -> String {
    client.subject("acme").unwrap().subject().value(Axis::Plans).unwrap().to_owned()
}

/// A server that has one tenant.
fn serving() -> Server {
    let server = Server::start(snapshot(1, &[("a", "on")]));
    server.state().subjects.insert("acme".into(), subject("business"));
    server.state().population = Some(7);
    server
}

/// Moves the tenant to another plan and announces it on the stream.
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
fn a_subject_is_requested_once_and_has_every_field() {
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
fn a_subject_follows_changes_of_its_tenant() {
    let server = serving();
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    let began = Instant::now();
    move_to(&server, "free", 8);
    until("the other plan", || plan_of(&client) == "free");
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    // A change of another tenant costs one conditional request.
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
fn without_a_stream_polling_finds_population_changes() {
    let server = serving();
    server.state().stream_always = Some(Fault::Status(404, ""));
    let (options, _events) = options(&server.url());
    let client =
        Client::connect(options.timing(Timing { poll_interval: millis(50), ..short_timing() })).unwrap();
    assert_eq!(plan_of(&client), "business");
    server.state().subjects.insert("acme".into(), subject("free"));
    server.state().population = Some(8);
    until("the other plan", || plan_of(&client) == "free");
}

#[test]
fn a_slice_expires_its_subject_when_its_digest_changes() {
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
fn without_the_server_the_cached_subject_is_returned_at_once() {
    let server = serving();
    let (client, events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    // The server announces a change, and fails from then on.
    server.state().subject_always = Some(Fault::Status(503, ""));
    move_to(&server, "free", 8);
    until("a failure", || {
        assert_eq!(plan_of(&client), "business");
        server.subject_requests().len() == 2
    });
    // After a failure the client does not ask for a second.
    for _ in 0..100 {
        assert_eq!(plan_of(&client), "business");
    }
    assert_eq!(server.subject_requests().len(), 2);
    server.state().subject_always = None;
    until("the other plan", || plan_of(&client) == "free");
    // The server refuses every request.
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
fn a_slow_server_does_not_delay_a_cached_subject() {
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
fn concurrent_callers_share_one_request() {
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
fn malformed_and_unknown_slugs_are_errors() {
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
    // A tenant that was deleted is not returned from the cache.
    assert_eq!(plan_of(&client), "business");
    server.state().subjects.clear();
    let digest = digest(&server.state().body);
    server.send(&event(&digest).replace("\"}", "\",\"population\":8}"));
    until("the deletion", || client.subject("acme").is_err());
    assert_eq!(client.subject("acme").unwrap_err().code, ClientCode::UnknownTenant);
}

#[test]
fn a_response_that_is_not_a_subject_is_rejected() {
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
fn a_handler_gets_cached_subjects_only() {
    let server = serving();
    let (client, _events) = connected(&server);
    server.wait_for_stream();
    assert_eq!(plan_of(&client), "business");
    let client = Arc::new(client);
    let (sender, receiver) = mpsc::channel();
    let (weak, sender) = (Arc::downgrade(&client), Mutex::new(sender));
    client.on(move |_| {
        let client = weak.upgrade().unwrap();
        let cached = client.subject("acme").map(|subject| subject.subject().tenant_id().to_owned());
        let other = client.subject("umbrella").unwrap_err().code;
        sender.lock().unwrap().send((cached.unwrap(), other)).unwrap();
    });
    server.publish(&snapshot(2, &[("a", "off")]));
    assert_eq!(receiver.recv_timeout(SECOND * 5).unwrap(), ("t1".into(), ClientCode::Unreachable));
}

#[test]
fn the_cache_drops_its_oldest_subject() {
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
