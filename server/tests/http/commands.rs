//! The commands for operators: `new-history`, `backup`, `verify-backup`, `verify-log` and
//! `check-config`.

use std::fs::{Permissions, set_permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::{Api, NO_LIMITS, Server};

fn command(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dezky-server"));
    command.args(arguments).env("DEZKY_DATA", data).output().unwrap()
}

/// The output of a command, after an assertion about its exit code.
#[track_caller]
fn output_of(output: &Output, is_good: bool) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(i32::from(!is_good)), "{text}");
    text
}

fn set_mode(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_new_history_needs_a_decision_about_the_keys() {
    let server = Server::start();
    let (key, secret) = server.create_key(json!({ "name": "Portal of old", "kind": "server" })).await;
    let api = Api::with_key(&server, &secret).await;
    let history = api.get("/flags/snapshot").send().await.is(200).header("dezky-history");
    let server = server.restart_after(&NO_LIMITS, |data| {
        let text = output_of(&command(data, &["new-history"]), false);
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
        output_of(&command(data, &["new-history", "--keep-keys"]), true);
        let both = command(data, &["new-history", "--keep-keys", "--revoke-keys"]);
        assert_eq!(both.status.code(), Some(2), "{both:?}");
    });
    let api = Api::with_key(&server, &secret).await;
    let kept = api.get("/flags/snapshot").send().await.is(200).header("dezky-history");
    assert_ne!(kept, history);
    let server = server.restart_after(&NO_LIMITS, |data| {
        output_of(&command(data, &["new-history", "--revoke-keys"]), true);
        output_of(&command(data, &["verify-log"]), true);
    });
    let api = Api::with_key(&server, &secret).await;
    api.get("/flags/snapshot").send().await.refused(401, "key_unknown");
    let operator = Api::sign_in(&server, "operator").await;
    let newest = operator.get("/audit?limit=1").send().await.is(200).items()[0].clone();
    assert_eq!((&newest["action"], &newest["entity"]["id"]), (&json!("key.revoke"), &json!(key)));
    assert_eq!(
        (&newest["actor"], &newest["after"]),
        (&json!({ "email": "server@dezky.invalid" }), &json!(null)),
        "the system is the actor"
    );
}

#[tokio::test]
async fn backups_are_verified_and_compared_with_a_head() {
    let server = Server::start();
    let copy = server.data().join("copy");
    let path = copy.to_str().unwrap();
    let text = output_of(&command(server.data(), &["backup", path]), true);
    let proof =
        Api::sign_in(&server, "operator").await.get("/audit?limit=1").send().await.is(200).body["proof"]
            .clone();
    let head = format!("{}:{}", proof["headRevision"], proof["headHash"].as_str().unwrap());
    assert!(text.contains(&head), "{text}");
    assert!(output_of(&command(server.data(), &["verify-backup", path]), true).contains(&head));
    assert!(output_of(&command(server.data(), &["verify-log", "--expect", &head]), true).contains(&head));
    let database = rusqlite::Connection::open(&copy).unwrap();
    database.execute("DELETE FROM changes WHERE revision = (SELECT max(revision) FROM changes)", []).unwrap();
    let text = output_of(&command(server.data(), &["verify-backup", path, "--expect", &head]), false);
    assert!(text.contains("the log ends here"), "{text}");
    database.execute("UPDATE users SET is_active_admin = 1", []).unwrap();
    let text = output_of(&command(server.data(), &["verify-backup", path]), false);
    assert!(text.contains("is_active_admin") || text.contains("is stored"), "{text}");
    let malformed = command(server.data(), &["verify-log", "--expect", "12"]);
    assert_eq!(malformed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&malformed.stderr).contains("a head is REVISION:HASH"), "{malformed:?}");
}

/// Runs `check-config` with a free port.
fn check_config(data: &Path, further: &[&str]) -> Output {
    let arguments = [&["check-config", "--listen", "127.0.0.1:0"], further].concat();
    command(data, &arguments)
}

#[tokio::test]
async fn check_config_reports_the_lock_of_a_running_server() {
    let server = Server::start();
    let text = output_of(&check_config(server.data(), &["--dev"]), false);
    assert!(text.contains("FAIL  lock: another server is using the data"), "{text}");
    assert!(text.contains("ok    database: version"), "{text}");
}

#[tokio::test]
async fn check_config_accepts_a_new_data_directory_and_creates_nothing() {
    let server = Server::start();
    let fresh = server.data().join("fresh");
    let text = output_of(&check_config(&fresh, &["--dev"]), true);
    assert!(text.contains("will be created") && text.contains("the settings are valid"), "{text}");
    assert!(!fresh.exists(), "the check created the data directory");
}

#[tokio::test]
async fn check_config_fetches_the_keys_of_the_issuer() {
    let server = Server::start();
    let fresh = server.data().join("fresh");
    let issuer = format!("{}/dev/oidc", server.url);
    let text = output_of(&check_config(&fresh, &["--issuer", &issuer]), true);
    assert!(text.contains("its keys can be fetched"), "{text}");
    let text = output_of(&check_config(&fresh, &["--issuer", "http://127.0.0.1:9/"]), false);
    assert!(text.contains("FAIL  identity provider: http://127.0.0.1:9/"), "{text}");
    let text = output_of(&check_config(&fresh, &["--issuer", &issuer, "--extra-ca", "/nowhere.pem"]), false);
    assert!(text.contains("/nowhere.pem"), "{text}");
}

#[tokio::test]
async fn check_config_reports_unreadable_tls_files() {
    let server = Server::start();
    let fresh = server.data().join("fresh");
    let issuer = format!("{}/dev/oidc", server.url);
    let tls = ["--issuer", issuer.as_str(), "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"];
    let text = output_of(&check_config(&fresh, &tls), false);
    assert!(text.contains("FAIL  TLS") && text.contains("/nowhere.pem"), "{text}");
}

#[tokio::test]
async fn check_config_reports_an_address_in_use() {
    let server = Server::start();
    let fresh = server.data().join("fresh");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = output_of(&command(&fresh, &["check-config", "--dev", "--listen", &address]), false);
    assert!(text.contains(&format!("FAIL  address: cannot listen on {address}")), "{text}");
}

#[tokio::test]
async fn check_config_and_serve_refuse_loose_permissions() {
    let server = Server::start();
    let fresh = server.data().join("fresh");
    std::fs::create_dir(&fresh).unwrap();
    set_mode(&fresh, 0o755);
    let text = output_of(&check_config(&fresh, &["--dev"]), false);
    assert!(text.contains("FAIL  permissions") && text.contains("chmod 700"), "{text}");
    output_of(&check_config(&fresh, &["--dev", "--allow-loose-permissions"]), true);
    let served = command(&fresh, &["serve", "--dev", "--listen", "127.0.0.1:0"]);
    assert!(output_of(&served, false).contains("chmod 700"));
}

#[tokio::test]
async fn check_config_reports_files_that_are_no_database_or_directory() {
    let server = Server::start();
    let fresh = server.data().join("fresh");
    std::fs::create_dir(&fresh).unwrap();
    set_mode(&fresh, 0o700);
    std::fs::write(
        fresh.join("dezky.sqlite3"),
        "no database at all, and long enough to be read as one".repeat(99),
    )
    .unwrap();
    set_mode(&fresh.join("dezky.sqlite3"), 0o600);
    let text = output_of(&check_config(&fresh, &["--dev"]), false);
    assert!(text.contains("FAIL  database"), "{text}");
    let file = server.data().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(output_of(&check_config(&file, &["--dev"]), false).contains("FAIL  data directory"));
}
