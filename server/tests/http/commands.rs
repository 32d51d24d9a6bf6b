//! The commands beside `serve`, as an operator runs them.

use std::fs::{Permissions, set_permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::{Api, Server};

const QUIET: [&str; 4] = ["--rate-limit", "0", "--failure-limit", "0"];

fn command(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dezky-server"));
    command.args(arguments).env("DEZKY_DATA", data).output().unwrap()
}

/// What a command says, if it ends so.
#[track_caller]
fn said(output: &Output, is_good: bool) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(i32::from(!is_good)), "{text}");
    text
}

fn loosen(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn going_back_needs_a_word_about_the_keys() {
    let server = Server::start();
    let (key, secret) = server.key(json!({ "name": "Portal of old", "kind": "server" })).await;
    let api = Api::with_key(&server, &secret).await;
    let history = api.get("/flags/snapshot").send().await.is(200).header("dezky-history");
    let server = server.restart_after(&QUIET, |data| {
        let text = said(&command(data, &["new-history"]), false);
        for expected in [
            &*key,
            "Portal of old",
            "server",
            "operator@dezky.example",
            "--keep-keys or --revoke-keys",
            "nothing was changed",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        said(&command(data, &["new-history", "--keep-keys"]), true);
        let both = command(data, &["new-history", "--keep-keys", "--revoke-keys"]);
        assert_eq!(both.status.code(), Some(2), "{both:?}");
    });
    let api = Api::with_key(&server, &secret).await;
    let kept = api.get("/flags/snapshot").send().await.is(200).header("dezky-history");
    assert_ne!(kept, history);
    let server = server.restart_after(&QUIET, |data| {
        said(&command(data, &["new-history", "--revoke-keys"]), true);
        said(&command(data, &["verify-log"]), true);
    });
    let api = Api::with_key(&server, &secret).await;
    api.get("/flags/snapshot").send().await.refused(401, "key_unknown");
    let operator = Api::of(&server, "operator").await;
    let newest = operator.get("/audit?limit=1").send().await.is(200).items()[0].clone();
    assert_eq!((&newest["action"], &newest["entity"]["id"]), (&json!("key.revoke"), &json!(key)));
    assert_eq!(
        (&newest["actor"], &newest["after"]),
        (&json!({ "email": "server@dezky.invalid" }), &json!(null)),
        "by the system"
    );
}

#[tokio::test]
async fn copies_are_verified_and_held_against_a_head() {
    let server = Server::start();
    let copy = server.data().join("copy");
    let path = copy.to_str().unwrap();
    let text = said(&command(server.data(), &["backup", path]), true);
    let proof =
        Api::of(&server, "operator").await.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    let head = format!("{}:{}", proof["headRevision"], proof["headHash"].as_str().unwrap());
    assert!(text.contains(&head), "{text}");
    assert!(said(&command(server.data(), &["verify-backup", path]), true).contains(&head));
    assert!(said(&command(server.data(), &["verify-log", "--expect", &head]), true).contains(&head));
    let database = rusqlite::Connection::open(&copy).unwrap();
    database.execute("DELETE FROM changes WHERE revision = (SELECT max(revision) FROM changes)", []).unwrap();
    let text = said(&command(server.data(), &["verify-backup", path, "--expect", &head]), false);
    assert!(text.contains("the log ends here"), "{text}");
    database.execute("UPDATE users SET is_active_admin = 1", []).unwrap();
    let text = said(&command(server.data(), &["verify-backup", path]), false);
    assert!(text.contains("is_active_admin") || text.contains("is stored"), "{text}");
    let malformed = command(server.data(), &["verify-log", "--expect", "12"]);
    assert_eq!(malformed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&malformed.stderr).contains("a head is REVISION:HASH"), "{malformed:?}");
}

#[tokio::test]
async fn check_config_tries_what_serve_needs() {
    let server = Server::start();
    let check = |data: &Path, further: &[&str]| {
        let arguments = [&["check-config", "--listen", "127.0.0.1:0"], further].concat();
        command(data, &arguments)
    };
    // Of the server that runs: its lock is held.
    let text = said(&check(server.data(), &["--dev"]), false);
    assert!(text.contains("FAIL  lock: another server is using the data"), "{text}");
    assert!(text.contains("ok    database: version"), "{text}");

    let fresh = server.data().join("fresh");
    let text = said(&check(&fresh, &["--dev"]), true);
    assert!(text.contains("will be made") && text.contains("the settings are good"), "{text}");
    assert!(!fresh.exists(), "nothing is made by a check");

    // An issuer that is there, and one that is not.
    let issuer = format!("{}/dev/oidc", server.url);
    let text = said(&check(&fresh, &["--issuer", &issuer]), true);
    assert!(text.contains("its keys can be fetched"), "{text}");
    let text = said(&check(&fresh, &["--issuer", "http://127.0.0.1:9/"]), false);
    assert!(text.contains("FAIL  identity provider: http://127.0.0.1:9/"), "{text}");
    let text = said(&check(&fresh, &["--issuer", &issuer, "--extra-ca", "/nowhere.pem"]), false);
    assert!(text.contains("/nowhere.pem"), "{text}");

    let tls = ["--issuer", issuer.as_str(), "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"];
    let text = said(&check(&fresh, &tls), false);
    assert!(text.contains("FAIL  TLS") && text.contains("/nowhere.pem"), "{text}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = said(&command(&fresh, &["check-config", "--dev", "--listen", &address]), false);
    assert!(text.contains(&format!("FAIL  address: cannot listen on {address}")), "{text}");

    std::fs::create_dir(&fresh).unwrap();
    loosen(&fresh, 0o755);
    let text = said(&check(&fresh, &["--dev"]), false);
    assert!(text.contains("FAIL  permissions") && text.contains("chmod 700"), "{text}");
    said(&check(&fresh, &["--dev", "--allow-loose-permissions"]), true);
    // And what it says of serve is so.
    let served = command(&fresh, &["serve", "--dev", "--listen", "127.0.0.1:0"]);
    assert!(said(&served, false).contains("chmod 700"));
    loosen(&fresh, 0o700);
    std::fs::write(
        fresh.join("dezky.sqlite3"),
        "no database at all, and long enough to be read as one".repeat(99),
    )
    .unwrap();
    loosen(&fresh.join("dezky.sqlite3"), 0o600);
    let text = said(&check(&fresh, &["--dev"]), false);
    assert!(text.contains("FAIL  database"), "{text}");
    let file = server.data().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(said(&check(&file, &["--dev"]), false).contains("FAIL  data directory"));
}
