//! Refused requests: each is counted and logged with its address, but many cannot flood the log.

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::{Api, Server, eventually};

/// Waits for a log line that contains this string.
async fn logged(server: &Server, text: &str) -> String {
    let line = async || server.log().lines().find(|line| line.contains(text)).map(str::to_owned);
    eventually(&format!("{text} is logged"), line).await
}

/// The value of a metric; 0 if there is none.
async fn count(server: &Server, series: &str) -> u64 {
    let metrics = Api::anonymous(server).await.get("/metrics").send().await.is(200).text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn refusals_are_logged_with_address_and_reason_and_counted() {
    let settings = ["--log-format", "json", "--trusted-proxy", "127.0.0.1"];
    let server = Server::start_with(&settings);
    let anonymous = Api::anonymous(&server).await.with_token("not-a-token");
    let member = Api::sign_in(&server, "member").await;
    let requests = [
        (anonymous.get("/flags"), "203.0.113.1", 401, "token_segments"),
        // Accepted requests of this kind are not logged.
        (anonymous.post("/ofrep/v1/evaluate/flags"), "203.0.113.2", 401, "token_segments"),
        (member.get("/keys"), "203.0.113.3", 403, "denied_operator_audience"),
    ];
    for (request, address, status, code) in requests {
        request.header("x-forwarded-for", address).send().await.refused(status, code);
        let line = logged(&server, address).await;
        assert!(line.contains(code) && line.contains(&status.to_string()), "{line}");
        // For an invalid credential, the log gives the reason.
        assert_eq!(line.contains("\"reason\":\"The access token is not accepted"), status == 401, "{line}");
    }
    assert_eq!(count(&server, r#"dezky_refusals_total{reason="token_segments"}"#).await, 2);
    assert_eq!(count(&server, r#"dezky_refusals_total{reason="denied_operator_audience"}"#).await, 1);
}

#[tokio::test]
async fn a_refused_connection_is_logged_with_its_address() {
    let server = Server::start_with(&["--max-connections-per-address", "1"]);
    let connect = async || TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    // The server may still be closing the connection of the readiness check.
    let _open = [connect().await, connect().await, connect().await];
    let line = logged(&server, "a connection was refused").await;
    assert!(line.contains("address=127.0.0.1"), "{line}");
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_logged_only_in_part() {
    let server = Server::start_with(&["--failure-limit", "0"]);
    let anonymous = Api::anonymous(&server).await.with_token("not-a-token");
    let began = Instant::now();
    for _ in 0..20 {
        for answer in join_all((0..20).map(|_| anonymous.get("/flags").send())).await {
            answer.refused(401, "token_segments");
        }
    }
    let member = Api::sign_in(&server, "member").await;
    let id = member.get("/flags").send().await.is(200).header("x-request-id");
    logged(&server, &id).await;
    let seconds = began.elapsed().as_secs() + 2;
    let lines = server.log().lines().filter(|line| line.contains("token_segments")).count();
    assert!(lines as u64 <= 10 * seconds, "{lines} lines in {seconds} s");
    assert_eq!(count(&server, r#"dezky_refusals_total{reason="token_segments"}"#).await, 400);
    server.stop();
    let summary = logged(&server, "dropped from the log").await;
    assert!(summary.contains("dropped"), "{summary}");
}

#[tokio::test]
async fn a_request_without_exactly_one_host_is_refused() {
    let server = Server::start();
    let request = async |path: &str, head: &str| {
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
            let answer = request(path, wrong).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{path} {wrong:?}: {answer}");
            assert!(answer.contains("invalid_host"), "{path} {wrong:?}: {answer}");
        }
    }
    assert!(request("/healthz", "HTTP/1.1\r\nhost: localhost\r\n").await.starts_with("HTTP/1.1 200"));
    assert!(request("/healthz", "HTTP/1.0\r\n").await.starts_with("HTTP/1.0 200"));
}
