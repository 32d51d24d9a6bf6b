//! TLS and HTTP/2, new certificates in a running server, and listeners beyond loopback.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Certificate, Client, Response, StatusCode, Version};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::connections::{SHORT, ended, endless, short_server};
use crate::support::{Issuer, PATIENCE, Server, eventually, plain_client};

/// A directory with two certificate authorities, and a certificate for 127.0.0.1 from each.
pub struct Certificates(PathBuf);

impl Certificates {
    pub fn new() -> Certificates {
        let name = format!("certificates-{}", uuid::Uuid::now_v7().simple());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        let names = "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        fs::write(directory.join("names"), names).unwrap();
        let certificates = Certificates(directory);
        for name in ["one", "other"] {
            let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
            certificates.openssl(&format!(
                "req -x509 {key} -keyout {name}-root.key -out {name}-root.pem -subj /CN={name} -days 2"
            ));
            certificates.openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN=server"));
            let by =
                format!("-CA {name}-root.pem -CAkey {name}-root.key -set_serial 7 -days 2 -extfile names");
            certificates.openssl(&format!("x509 -req -in {name}.csr {by} -out {name}.pem"));
        }
        certificates
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(&self.0).output();
        let output = output.expect("this test needs openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Copies the certificate of this name to the file that the server reads.
    fn install(&self, name: &str) {
        for kind in ["pem", "key"] {
            fs::copy(self.file(&format!("{name}.{kind}")), self.file(&format!("server.{kind}"))).unwrap();
        }
    }

    /// A client that trusts only the authority of this name.
    pub fn client(&self, name: &str) -> reqwest::ClientBuilder {
        let root = fs::read(self.file(&format!("{name}-root.pem"))).unwrap();
        Client::builder().no_proxy().tls_certs_only([Certificate::from_pem(&root).unwrap()])
    }
}

/// A server in production mode, which accepts the tokens of another server's built-in issuer.
pub struct ProductionServer {
    process: Child,
    log: PathBuf,
    pub port: u16,
}

impl ProductionServer {
    pub async fn start(issuer: &Server, settings: &[&str]) -> ProductionServer {
        let name = uuid::Uuid::now_v7().simple().to_string();
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&data).unwrap();
        let log = data.join("log");
        let process = Command::new(env!("CARGO_BIN_EXE_dezky-server"))
            .args(["serve", "--listen", "127.0.0.1:0", "--audience", "dezky-portal", "--log-format", "json"])
            .args(["--issuer", &format!("{}/dev/oidc", issuer.url), "--data"])
            .arg(data.join("data"))
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut server = ProductionServer { process, log, port: 0 };
        server.port = server.port_in("\"serving\"").await;
        server.logged("fetched the issuer's keys").await;
        server
    }

    /// Waits for the log line with this text, and returns the port in it.
    pub async fn port_in(&self, text: &str) -> u16 {
        let line: Value = serde_json::from_str(&self.logged(text).await).unwrap();
        line["address"].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Waits for a log line that contains this text.
    pub async fn logged(&self, text: &str) -> String {
        let line = async || {
            let log = fs::read_to_string(&self.log).unwrap();
            log.lines().find(|line| line.contains(text)).map(str::to_owned)
        };
        eventually(&format!("{text} is logged"), line).await
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for ProductionServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn text_of(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    response.text().await.unwrap()
}

/// The next part of a stream that is not a heartbeat.
async fn next_event(stream: &mut Response) -> String {
    loop {
        let part = timeout(PATIENCE, stream.chunk())
            .await
            .expect("no event arrives")
            .unwrap()
            .expect("the stream ended");
        let part = String::from_utf8(part.to_vec()).unwrap();
        if part.contains("data:") {
            return part;
        }
    }
}

#[tokio::test]
async fn one_http_2_connection_carries_many_streams() {
    let (issuer, certificates) = (Server::start(), Certificates::new());
    let token = format!("Bearer {}", issuer.token("operator").await);
    certificates.install("one");
    let (cert, key) = (certificates.file("server.pem"), certificates.file("server.key"));
    let settings = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let mut server = ProductionServer::start(&issuer, &settings).await;

    let client = certificates.client("one").build().unwrap();
    let get = |path: &str| client.get(server.url(path)).header("authorization", &token).send();
    assert_eq!(get("/users/me").await.unwrap().version(), Version::HTTP_2);
    let mut streams = Vec::new();
    for _ in 0..12 {
        let stream = get("/flags/stream").await.unwrap();
        assert_eq!((stream.status(), stream.version()), (StatusCode::OK, Version::HTTP_2));
        streams.push(stream);
    }
    for stream in &mut streams {
        next_event(stream).await;
    }
    let metrics = text_of(get("/metrics").await.unwrap()).await;
    assert!(metrics.lines().any(|line| line == "dezky_connections 1"), "{metrics}");
    assert!(metrics.lines().any(|line| line == "dezky_streams 12"), "{metrics}");
    let flag = json!({ "key": "over_h2", "state": "on", "description": "Every stream announces this flag." });
    let made = client.post(server.url("/flags")).header("authorization", &token);
    let made = made.header("content-type", "application/json").body(flag.to_string()).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    for stream in &mut streams {
        next_event(stream).await;
    }

    // Streams end when the server stops, and do not delay it.
    server.signal("-TERM");
    for stream in &mut streams {
        while timeout(PATIENCE, stream.chunk())
            .await
            .expect("the stream is still open")
            .is_ok_and(|part| part.is_some())
        {}
    }
    assert!(server.process.wait().unwrap().success());
}

#[tokio::test]
async fn http_1_1_works_over_tls_and_other_authorities_are_not_trusted() {
    let (issuer, certificates) = (Server::start(), Certificates::new());
    certificates.install("one");
    let (cert, key) = (certificates.file("server.pem"), certificates.file("server.key"));
    let settings = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = ProductionServer::start(&issuer, &settings).await;
    let old = certificates.client("one").http1_only().build().unwrap();
    let answer = old.get(server.url("/healthz")).send().await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_11));
    let stranger = certificates.client("other").build().unwrap();
    stranger.get(server.url("/healthz")).send().await.unwrap_err();
}

#[tokio::test]
async fn a_new_certificate_is_loaded_on_a_signal() {
    let (issuer, certificates) = (Server::start(), Certificates::new());
    certificates.install("one");
    let (cert, key) = (certificates.file("server.pem"), certificates.file("server.key"));
    let settings = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = ProductionServer::start(&issuer, &settings).await;
    let health = server.url("/healthz");
    let before = certificates.client("one").build().unwrap();
    text_of(before.get(&health).send().await.unwrap()).await;

    certificates.install("other");
    server.signal("-HUP");
    server.logged("the certificate was reloaded").await;
    let after = certificates.client("other").build().unwrap();
    text_of(after.get(&health).send().await.unwrap()).await;
    // An open connection continues; a new client that trusts only the old authority refuses.
    text_of(before.get(&health).send().await.unwrap()).await;
    certificates.client("one").build().unwrap().get(&health).send().await.unwrap_err();

    // A key that does not fit the certificate changes nothing.
    fs::copy(certificates.file("one.key"), &key).unwrap();
    server.signal("-HUP");
    server.logged("the old one stays in use").await;
    text_of(certificates.client("other").build().unwrap().get(&health).send().await.unwrap()).await;
}

#[tokio::test]
async fn a_connection_without_a_handshake_is_closed() {
    let (issuer, certificates) = (Server::start(), Certificates::new());
    certificates.install("one");
    let (cert, key) = (certificates.file("server.pem"), certificates.file("server.key"));
    let settings = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = ProductionServer::start(&issuer, &settings).await;
    let mut silent = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    assert!(ended(&mut silent).await.is_empty());
}

#[tokio::test]
async fn an_http_2_stream_is_closed_only_if_it_is_not_read() {
    let certificates = Certificates::new();
    certificates.install("one");
    let client = certificates.client("one").build().unwrap();
    // A client that stops reading loses its stream, although the connection itself is not blocked.
    let (router, mut dropped) = endless(64 << 10, Duration::from_millis(1));
    let (address, _stop) = short_server(router, Some(&certificates)).await;
    let unread = client.get(format!("https://{address}/")).send().await.unwrap();
    assert_eq!(unread.version(), Version::HTTP_2);
    timeout(PATIENCE, dropped.recv()).await.expect("the stream is still open");
    drop(unread);

    // A client that reads keeps its stream.
    let (router, mut dropped) = endless(3, Duration::from_millis(100));
    let (address, _stop) = short_server(router, Some(&certificates)).await;
    let mut read = client.get(format!("https://{address}/")).send().await.unwrap();
    let until = Instant::now() + SHORT.write * 4;
    while Instant::now() < until {
        assert!(read.chunk().await.unwrap().is_some(), "the stream has ended");
    }
    assert!(dropped.try_recv().is_err());
}

fn check(issuer: &Issuer, settings: &[&str]) -> (bool, String) {
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::now_v7().simple().to_string());
    let output = Command::new(env!("CARGO_BIN_EXE_dezky-server"))
        .args(["check-config", "--issuer", &issuer.name, "--audience", "a", "--data", data.to_str().unwrap()])
        .args(settings)
        .env("DEZKY_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

#[test]
fn a_listener_beyond_loopback_needs_tls_or_a_proxy() {
    let (issuer, certificates) = (Issuer::start(), Certificates::new());
    let (cert, key, other) =
        (certificates.file("one.pem"), certificates.file("one.key"), certificates.file("other.key"));
    let [cert, key, other] = [&cert, &key, &other].map(|file| file.to_str().unwrap());
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.7:7070"] {
        let (is_good, error) = check(&issuer, &["--listen", listen]);
        assert!(!is_good && error.contains("beyond loopback"), "{error}");
    }
    for settings in [["--tls-cert", cert, "--tls-key", other], ["--tls-cert", key, "--tls-key", key]] {
        let (is_good, error) = check(&issuer, &settings);
        assert!(!is_good && error.contains("--tls-"), "{error}");
    }
    assert!(!check(&issuer, &["--tls-cert", cert]).0, "a certificate without a key is accepted");
    assert!(!check(&issuer, &["--tls-cert", cert, "--tls-key", "/nowhere"]).0);
    for settings in
        [&["--listen", "0.0.0.0:0", "--behind-proxy"][..], &["--tls-cert", cert, "--tls-key", key]]
    {
        let (is_good, error) = check(&issuer, settings);
        assert!(is_good, "{error}");
    }
}

#[tokio::test]
async fn metrics_behind_a_proxy_need_a_token_or_their_own_address() {
    let issuer = Server::start();
    let client = plain_client();
    let request = async |port: u16, path: &str, token: Option<&str>| {
        let request = client.get(format!("http://127.0.0.1:{port}{path}"));
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let server = ProductionServer::start(&issuer, &["--behind-proxy"]).await;
    let (status, text) = request(server.port, "/metrics", None).await;
    assert!(status == 403 && text.contains("metrics_closed"), "{text}");

    let token = "0123456789abcdef";
    let server = ProductionServer::start(&issuer, &["--behind-proxy", "--metrics-token", token]).await;
    for wrong in [None, Some(""), Some("0123456789abcdeg"), Some("0123456789abcdef0")] {
        let (status, text) = request(server.port, "/metrics", wrong).await;
        assert!(status == 401 && text.contains("metrics_token_invalid"), "{text}");
    }
    let (status, text) = request(server.port, "/metrics", Some(token)).await;
    assert!(status == 200 && text.contains("dezky_connections "), "{text}");

    let server =
        ProductionServer::start(&issuer, &["--behind-proxy", "--metrics-listen", "127.0.0.1:0"]).await;
    let own = server.port_in("serving metrics").await;
    assert_eq!(request(server.port, "/metrics", None).await.0, 404);
    assert_eq!(request(own, "/metrics", None).await.0, 200);
    assert_eq!(request(own, "/healthz", None).await.0, 404);
}
