//! The identity provider of a run: discovery, one RSA key, and signed tokens.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::net::TcpListener;

use crate::Failure;

const KEY_ID: &str = "bench";
const LIFETIME_SECONDS: u64 = 4 * 3_600;

/// A running identity provider.
pub struct Issuer {
    key: RsaKeyPair,
    /// The issuer URL, for `--issuer`.
    pub url: String,
}

impl Issuer {
    /// Generates a key of 2,048 bits and serves its public key on loopback.
    pub async fn start() -> Result<Issuer, Failure> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "the RSA key cannot be generated")?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let discovery = json!({ "issuer": url, "jwks_uri": format!("{url}jwks") }).to_string();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (n, e) = (
            part(key.public_key().modulus().big_endian_without_leading_zero()),
            part(key.public_key().exponent().big_endian_without_leading_zero()),
        );
        let jwk = json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": n, "e": e });
        let keys = json!({ "keys": [jwk] }).to_string();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(move || async move { discovery.clone() }))
            .route("/jwks", get(move || async move { keys.clone() }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Issuer { key, url })
    }

    /// Signs a token of the operator. Each number gives a different token.
    pub fn operator_token(&self, number: usize) -> Result<String, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({ "alg": "RS256", "kid": KEY_ID, "typ": "at+jwt" });
        // About 900 bytes, the usual size of a provider's token.
        let claims = json!({
            "iss": self.url, "sub": "0192f0c1-7a00-7000-8000-00000000abcd", "aud": "dezky-operator",
            "iat": now, "exp": now + LIFETIME_SECONDS, "auth_time": now, "acr": "goauthentik.io/providers/oauth2/default",
            "azp": "dezky-operator", "client_id": "dezky-operator", "jti": format!("{number:032x}"),
            "email": "operator@dezky.example", "email_verified": true, "name": "Oda Operator",
            "given_name": "Oda", "preferred_username": "oda", "nickname": "oda",
            "groups": ["dezky-platform-admins", "dezky-support", "everybody"],
        });
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
            .map_err(|_| "a token cannot be signed")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
