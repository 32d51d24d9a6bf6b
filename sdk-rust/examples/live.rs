//! Follows a server and answers requests about its flags, one JSON document per line.
//!
//! Start it as `live '{"url":"http://127.0.0.1:7070","key":"dzk_…"}'`. It writes a line for every
//! event of the client. Each line that it reads is a request such as
//! `{"id":1,"ask":"evaluate","subjects":[…]}`; the response has the same id. The end-to-end tests
//! run a program like this for every SDK.

#![expect(clippy::indexing_slicing, reason = "a missing member of a JSON document is null")]

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dezky::flags::{Axis, Ruleset, Subject, SubjectDocument};
use dezky::testing::Timing;
use dezky::{Client, ClientEvent, ConnectOptions, CurrentRuleset, PastDeadline};
use serde_json::{Map, Value, json};

/// A flag and a subject to evaluate with every event.
type Watched = Arc<Mutex<Option<(String, SubjectDocument)>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let options: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("the options are missing")?)?;
    let client = match Client::connect(read(&options)?) {
        Ok(client) => Arc::new(client),
        Err(error) => {
            return write(&json!({ "failed": error.code.as_str(), "message": error.message }));
        }
    };
    let watched = Watched::default();
    write_events(&client, watched.clone(), began);
    write(&json!({ "connected": client.instance(), "at": milliseconds(began) }))?;
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let rules = client.ruleset();
        let Some(mut response) = respond(&client, &rules, &request, &watched, began)? else { break };
        response["id"] = request["id"].clone();
        if request["ask"] == "evaluate" {
            response["digest"] = json!(rules.digest().as_str());
        }
        write(&response)?;
    }
    Ok(())
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

/// Writes a line for every event, with the rules and the watched flag at that time.
fn write_events(client: &Arc<Client>, watched: Watched, began: Instant) {
    let follower = Arc::downgrade(client);
    client.on(move |event| {
        let Some(client) = follower.upgrade() else { return };
        let (rules, mut line) = (client.ruleset(), describe(event));
        let enabled = watched.lock().ok().and_then(|watched| {
            watched.as_ref().map(|(key, subject)| rules.is_enabled(key, &subject.subject()))
        });
        line["at"] = json!(milliseconds(began));
        line["digest"] = json!(rules.digest().as_str());
        line["enabled"] = json!(enabled);
        let _ = write(&line);
    });
}

/// The response to a request; `None` ends the program.
fn respond(
    client: &Client,
    rules: &CurrentRuleset,
    request: &Value,
    watched: &Watched,
    began: Instant,
) -> Result<Option<Value>, Box<dyn Error>> {
    let subject = || SubjectDocument::from_json(request["subject"].to_string().as_bytes());
    let key = request["key"].as_str().unwrap_or_default();
    Ok(Some(match request["ask"].as_str() {
        Some("clock") => json!({ "at": milliseconds(began) }),
        Some("state") => {
            let (revision, digest) = (rules.revision(), rules.digest().as_str());
            json!({ "status": client.status().as_str(), "revision": revision, "digest": digest })
        }
        Some("evaluate") => evaluate(rules, &request["subjects"])?,
        Some("subject") => match client.subject(request["slug"].as_str().unwrap_or_default()) {
            Ok(subject) => json!({ "subject": document(&subject.subject()) }),
            Err(error) => json!({ "code": error.code.as_str() }),
        },
        Some("explain") => {
            let explanation = rules.explain(key, &subject()?.subject()).to_json();
            json!({ "explanation": serde_json::from_str::<Value>(&explanation)? })
        }
        Some("watch") => {
            *watched.lock().map_err(|_| "a handler panicked")? = Some((key.to_owned(), subject()?));
            json!({})
        }
        Some("close") => {
            client.close();
            json!({ "status": client.status().as_str() })
        }
        _ => return Ok(None),
    }))
}

/// A subject as a JSON document.
fn document(subject: &Subject<'_>) -> Value {
    let mut members = Map::from_iter([("tenantId".to_owned(), json!(subject.tenant_id()))]);
    for (name, axis) in
        [("tenantSlug", Axis::TenantSlugs), ("plan", Axis::Plans), ("partnerSlug", Axis::PartnerSlugs)]
    {
        if let Some(value) = subject.value(axis) {
            members.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(members)
}

/// Parses the options. Times are in milliseconds.
fn read(options: &Value) -> Result<ConnectOptions, Box<dyn Error>> {
    let text = |name: &str| options[name].as_str();
    let time = |value: &Value| value.as_u64().map(Duration::from_millis);
    let (url, key) = (text("url").ok_or("the url is missing")?, text("key").ok_or("the key is missing")?);
    let mut connect = ConnectOptions::new(url, key);
    if let Some(tenant) = text("tenant") {
        connect = connect.tenant(tenant);
    }
    if let Some(file) = text("file") {
        connect = connect.file(file);
    }
    if let Some(name) = text("instance") {
        connect = connect.instance(name);
    }
    if let Some(deadline) = time(&options["deadline"]) {
        connect = connect.deadline(deadline);
    }
    if let Some(stale_after) = time(&options["staleAfter"]) {
        connect = connect.stale_after(stale_after);
    }
    if let Some(max_backoff) = time(&options["maxBackoff"]) {
        connect = connect.max_backoff(max_backoff);
    }
    match text("pastDeadline") {
        Some("file") => connect = connect.past_deadline(PastDeadline::File),
        Some("off") => connect = connect.past_deadline(PastDeadline::Off),
        Some(_) => connect = connect.past_deadline(PastDeadline::Fail),
        None => {}
    }
    Ok(connect.timing(timing(&options["timing"])))
}

/// Parses the intervals and timeouts, which tests shorten.
fn timing(given: &Value) -> Timing {
    let defaults = Timing::default();
    let time = |name: &str, default| given[name].as_u64().map_or(default, Duration::from_millis);
    Timing {
        poll_interval: time("pollInterval", defaults.poll_interval),
        min_backoff: time("minBackoff", defaults.min_backoff),
        request_timeout: time("requestTimeout", defaults.request_timeout),
        silence: time("silence", defaults.silence),
        settled: time("settled", defaults.settled),
        spacing: time("spacing", defaults.spacing),
        ..defaults
    }
}

/// Evaluates every flag for each subject, with one revision.
fn evaluate(rules: &Ruleset, subjects: &Value) -> Result<Value, Box<dyn Error>> {
    let mut all = Vec::new();
    for subject in subjects.as_array().into_iter().flatten() {
        let subject = SubjectDocument::from_json(subject.to_string().as_bytes())?;
        let flags = rules.evaluate_all(&subject.subject());
        all.push(flags.iter().map(|(key, on)| (key.to_owned(), json!(on))).collect::<Map<_, _>>());
    }
    let fingerprint = dezky::host::fingerprint(rules, subjects.to_string().as_bytes())?;
    Ok(json!({ "flags": all, "fingerprint": fingerprint, "revision": rules.revision() }))
}

fn describe(event: &ClientEvent) -> Value {
    let name = event.name();
    match event {
        ClientEvent::Ready { revision } => json!({ "event": name, "revision": revision }),
        ClientEvent::Change { revision, keys } => {
            let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            json!({ "event": name, "revision": revision, "keys": keys })
        }
        ClientEvent::Stale { age } => json!({ "event": name, "age": age.as_secs_f64() * 1e3 }),
        ClientEvent::Error { error, fatal } => {
            json!({ "event": name, "code": error.code.as_str(), "message": error.message, "fatal": fatal })
        }
        _ => json!({ "event": name }),
    }
}

fn write(line: &Value) -> Result<(), Box<dyn Error>> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
