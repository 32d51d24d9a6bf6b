//! An identity provider for tests, which issues tokens with any claims.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::unix_seconds;

/// An issuer on loopback; its thread runs until the tests end.
pub struct Issuer {
    pub name: String,
    pair: Ed25519KeyPair,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    pub fn start() -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": encode(pair.public_key()) });
        let discovery = json!({ "issuer": name, "jwks_uri": format!("{name}/jwks") });
        let documents = Arc::new((discovery.to_string(), json!({ "keys": [key] }).to_string()));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let documents = Arc::clone(&documents);
                thread::spawn(move || answer(connection, &documents));
            }
        });
        Issuer { name, pair }
    }

    /// Issues an access token with the usual claims and these; a null claim is left out.
    pub fn token(&self, subject: &str, claims: Value) -> String {
        let mut all = json!({
            "iss": self.name, "sub": subject, "aud": "dezky-portal", "iat": unix_seconds(), "client_id": "tests",
            "jti": uuid::Uuid::now_v7().to_string(), "name": subject,
            "email": format!("{subject}@people.example"), "email_verified": true,
        });
        let members = all.as_object_mut().unwrap();
        members.extend(claims.as_object().unwrap().clone());
        let expiry = members["iat"].as_i64().unwrap() + 3_600;
        members.insert("exp".to_owned(), json!(expiry));
        members.retain(|_, value| !value.is_null());
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "at+jwt" });
        let signed = format!("{}.{}", encode(header.to_string()), encode(all.to_string()));
        format!("{signed}.{}", encode(self.pair.sign(signed.as_bytes())))
    }
}

fn answer(connection: TcpStream, (discovery, keys): &(String, String)) {
    let mut reader = BufReader::new(&connection);
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    let body = if first.contains("/jwks") { keys } else { discovery };
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    let _ = (&connection).write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes());
}
