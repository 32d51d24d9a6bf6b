//! An issuer with a certificate of a private root, served by OpenSSL.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dezky_server::identity::{Identity, IdentitySettings, TrustedIssuer};
use serde_json::json;

use crate::issuer::{Signer, key_text};
use crate::support::{eventually, timing, verify};

/// The OpenSSL server process, killed on drop.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output();
    let output = output.expect("openssl is needed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn make_certificates(directory: &Path) {
    std::fs::write(directory.join("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    for root in ["root", "other-root"] {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(
            directory,
            &format!("req -x509 {key} -keyout {root}.key -out {root}.pem -subj /CN={root} -days 2"),
        );
    }
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(directory, &format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    let signing = "-CA root.pem -CAkey root.key -set_serial 7 -days 2 -extfile names";
    openssl(directory, &format!("x509 -req -in server.csr {signing} -out server.pem"));
}

fn serve(directory: &Path) -> Server {
    let mut child = Command::new("openssl")
        .args("s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -WWW".split(' '))
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let accept = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("ACCEPT")).unwrap();
    let port = accept.rsplit_once(':').unwrap().1.trim().parse().unwrap();
    // A full pipe would block the server, so its output is drained.
    std::thread::spawn(move || lines.for_each(drop));
    Server { child, port }
}

fn started(issuer: &str, jwks_url: Option<String>, root: Option<PathBuf>) -> std::sync::Arc<Identity> {
    let settings = IdentitySettings {
        issuers: vec![TrustedIssuer::new(issuer)],
        jwks_url,
        audiences: vec!["dezky-portal".to_owned()],
        extra_ca: root,
        timing: timing(),
    };
    let identity = Identity::new(settings).unwrap();
    identity.start();
    identity
}

#[tokio::test]
async fn a_private_root_is_trusted_only_if_it_is_configured() {
    let directory = std::env::temp_dir().join(format!("dezky-private-root-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    make_certificates(&directory);
    let signer = Signer::new("a");
    std::fs::write(directory.join("jwks"), key_text(&[&signer])).unwrap();
    let server = serve(&directory);
    let issuer = format!("https://127.0.0.1:{}/", server.port);

    let jwks_url = Some(format!("{issuer}jwks"));
    for root in [None, Some(directory.join("other-root.pem"))] {
        let identity = started(&issuer, jwks_url.clone(), root);
        let is_refused =
            || identity.readiness().is_err_and(|reason| reason.to_lowercase().contains("certificate"));
        eventually("the certificate is refused", is_refused).await;
    }

    let identity = started(&issuer, jwks_url, Some(directory.join("root.pem")));
    eventually("ready", || identity.readiness().is_ok()).await;
    verify(&identity, &signer.token(&issuer)).await.unwrap();

    // An https issuer must not lead to plain http keys, not even on loopback.
    let discovery = json!({ "issuer": issuer, "jwks_uri": "http://127.0.0.1:9/jwks" }).to_string();
    std::fs::create_dir_all(directory.join(".well-known")).unwrap();
    std::fs::write(directory.join(".well-known/openid-configuration"), discovery).unwrap();
    let identity = started(&issuer, None, Some(directory.join("root.pem")));
    let is_refused = || identity.readiness().is_err_and(|reason| reason.contains("its keys must"));
    eventually("keys on plain http are refused", is_refused).await;

    drop(server);
    std::fs::remove_dir_all(&directory).unwrap();
}
