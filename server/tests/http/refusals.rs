//! Refusals: each is counted, those that are few are logged with their address, and many cannot flood the log.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::support::{Api, Server};

async fn logged(server: &Server, text: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(line) = server.log().lines().find(|line| line.contains(text)) {
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "{text} is not in the log: {}", server.log());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn count(server: &Server, series: &str) -> u64 {
    let metrics = Api::nobody(server).await.get("/metrics").send().await.is(200).text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn refusals_are_logged_with_address_and_reason_and_counted() {
    let settings = ["--log-format", "json", "--trusted-proxy", "127.0.0.1"];
    let server = Server::start_with(&settings);
    let nobody = Api::nobody(&server).await.with_token("not-a-token");
    let member = Api::of(&server, "member").await;
    let asks = [
        (nobody.get("/flags"), "203.0.113.1", 401, "token_segments"),
        // Of these, only refusals are logged at all.
        (nobody.post("/ofrep/v1/evaluate/flags"), "203.0.113.2", 401, "token_segments"),
        (member.get("/keys"), "203.0.113.3", 403, "denied_operator_audience"),
    ];
    for (ask, address, status, code) in asks {
        ask.header("x-forwarded-for", address).send().await.refused(status, code);
        let line = logged(&server, address).await;
        assert!(line.contains(code) && line.contains(&status.to_string()), "{line}");
        // A credential that is not valid is told with what is wrong with it.
        assert_eq!(line.contains("\"reason\":\"The access token is not accepted"), status == 401, "{line}");
    }
    assert_eq!(count(&server, r#"dezky_refusals_total{reason="token_segments"}"#).await, 2);
    assert_eq!(count(&server, r#"dezky_refusals_total{reason="denied_operator_audience"}"#).await, 1);
}

#[tokio::test]
async fn a_connection_that_is_refused_is_logged_with_its_address() {
    let server = Server::start_with(&["--max-connections-per-address", "1"]);
    let connect = async || TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    // The server may still be closing the connection that asked whether it is ready.
    let _held = [connect().await, connect().await, connect().await];
    let line = logged(&server, "a connection was refused").await;
    assert!(line.contains("address=127.0.0.1"), "{line}");
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_not_logged() {
    let server = Server::start_with(&["--failure-limit", "0"]);
    let nobody = Api::nobody(&server).await.with_token("not-a-token");
    let began = Instant::now();
    for _ in 0..20 {
        for answer in join_all((0..20).map(|_| nobody.get("/flags").send())).await {
            answer.refused(401, "token_segments");
        }
    }
    let member = Api::of(&server, "member").await;
    let id = member.get("/flags").send().await.is(200).header("x-request-id");
    logged(&server, &id).await;
    let seconds = began.elapsed().as_secs() + 2;
    let lines = server.log().lines().filter(|line| line.contains("token_segments")).count();
    assert!(lines as u64 <= 10 * seconds, "{lines} lines in {seconds} s");
    assert_eq!(count(&server, r#"dezky_refusals_total{reason="token_segments"}"#).await, 400);
    server.stop();
    let summary = logged(&server, "left out of the log").await;
    assert!(summary.contains("left_out"), "{summary}");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = Server::start();
    let ask = async |path: &str, head: &str| {
        let mut connection = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
        let request = format!("GET {path} {head}connection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let two = "HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n";
    for path in ["/healthz", "/flags", "/nothing", "/dev/oidc/jwks"] {
        for wrong in ["HTTP/1.1\r\n", two, "HTTP/1.1\r\nHost: a\r\nhost: b\r\n"] {
            let answer = ask(path, wrong).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{path} {wrong:?}: {answer}");
            assert!(answer.contains("invalid_host"), "{path} {wrong:?}: {answer}");
        }
    }
    assert!(ask("/healthz", "HTTP/1.1\r\nhost: localhost\r\n").await.starts_with("HTTP/1.1 200"));
    assert!(ask("/healthz", "HTTP/1.0\r\n").await.starts_with("HTTP/1.0 200"));
}
