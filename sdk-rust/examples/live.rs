//! Follows a server and answers questions about its flags, one line of JSON each: `live '{"url":"http://127.0.0.1:7070","key":"dzk_…"}'`.
//!
//! It writes a line for every event of the client. A line that it reads is a question: `{"id":1,"ask":"evaluate","subjects":[…]}`; the answer has its
//! id. The end-to-end tests ask a program like this one of every SDK.

#![expect(clippy::indexing_slicing, reason = "a member that a document does not have is null")]

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dezky::flags::{Axis, Ruleset, Subject, SubjectDocument};
use dezky::testing::Timing;
use dezky::{Client, ClientEvent, ConnectOptions, PastDeadline};
use serde_json::{Map, Value, json};

/// A flag and whom it is asked for whenever something happens.
type Watched = Arc<Mutex<Option<(String, SubjectDocument)>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let at = move || began.elapsed().as_secs_f64() * 1e3;
    let options: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("options, as JSON")?)?;
    let client = match Client::connect(read(&options)?) {
        Ok(client) => Arc::new(client),
        Err(error) => {
            return write(&json!({ "failed": error.code.as_str(), "message": error.message }));
        }
    };
    let (watched, follower) = (Watched::default(), Arc::downgrade(&client));
    let watch = watched.clone();
    client.on(move |event| {
        let Some(client) = follower.upgrade() else { return };
        let (rules, mut line) = (client.ruleset(), tell(event));
        let enabled = watch.lock().ok().and_then(|watched| {
            watched.as_ref().map(|(key, subject)| rules.is_enabled(key, &subject.subject()))
        });
        line["at"] = json!(at());
        line["digest"] = json!(rules.digest().as_str());
        line["enabled"] = json!(enabled);
        let _ = write(&line);
    });
    write(&json!({ "connected": client.instance(), "at": at() }))?;
    for line in stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let rules = client.ruleset();
        let mut answer = match question["ask"].as_str() {
            Some("clock") => json!({ "at": at() }),
            Some("state") => {
                json!({ "status": client.status().as_str(), "revision": rules.revision(), "digest": rules.digest().as_str() })
            }
            Some("evaluate") => evaluate(&rules, &question["subjects"])?,
            Some("subject") => match client.subject(question["slug"].as_str().unwrap_or_default()) {
                Ok(subject) => json!({ "subject": document(&subject.subject()) }),
                Err(error) => json!({ "code": error.code.as_str() }),
            },
            Some("explain") => {
                let subject = SubjectDocument::from_json(question["subject"].to_string().as_bytes())?;
                let key = question["key"].as_str().unwrap_or_default();
                json!({ "explanation": serde_json::from_str::<Value>(&rules.explain(key, &subject.subject()).to_json())? })
            }
            Some("watch") => {
                let subject = SubjectDocument::from_json(question["subject"].to_string().as_bytes())?;
                let key = question["key"].as_str().unwrap_or_default().to_owned();
                *watched.lock().map_err(|_| "a handler panicked")? = Some((key, subject));
                json!({})
            }
            Some("close") => {
                client.close();
                json!({ "status": client.status().as_str() })
            }
            _ => break,
        };
        answer["id"] = question["id"].clone();
        if question["ask"] == "evaluate" {
            answer["digest"] = json!(rules.digest().as_str());
        }
        write(&answer)?;
    }
    Ok(())
}

/// A subject as JSON.
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

/// Times are in milliseconds.
fn read(options: &Value) -> Result<ConnectOptions, Box<dyn Error>> {
    let text = |name: &str| options[name].as_str();
    let time = |value: &Value| value.as_u64().map(Duration::from_millis);
    let (url, key) = (text("url").ok_or("there is no url")?, text("key").ok_or("there is no key")?);
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

/// What the tests shorten.
fn timing(given: &Value) -> Timing {
    let usual = Timing::default();
    let time = |name: &str, usual| given[name].as_u64().map_or(usual, Duration::from_millis);
    Timing {
        poll_interval: time("pollInterval", usual.poll_interval),
        min_backoff: time("minBackoff", usual.min_backoff),
        request_timeout: time("requestTimeout", usual.request_timeout),
        silence: time("silence", usual.silence),
        settled: time("settled", usual.settled),
        spacing: time("spacing", usual.spacing),
        ..usual
    }
}

/// All of it by one revision.
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

fn tell(event: &ClientEvent) -> Value {
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
