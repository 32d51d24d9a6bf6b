//! The provider's signing key and the tokens that it signs.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Persona;
use crate::codes::Grant;

/// The lifetime of a token.
pub(crate) const LIFETIME_SECONDS: i64 = 3600;

/// An ES256 key. Every OpenID Connect library verifies ES256.
#[derive(Debug)]
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    key_id: String,
    x: String,
    y: String,
}

impl Signer {
    pub(crate) fn new() -> Option<Signer> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        // The first byte marks an uncompressed point.
        let (_, point) = key.public_key().as_ref().split_first()?;
        let (x, y) = point.split_at_checked(32)?;
        let (x, y) = (encode(x), encode(y));
        // RFC 7638: exactly these members, in this order, without spaces.
        let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Some(Signer { key, key_id: encode(Sha256::digest(thumbprint)), x, y })
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
            "kid": self.key_id, "x": self.x, "y": self.y,
        })
    }

    pub(crate) fn access_token(&self, issuer: &str, persona: &Persona, client_id: &str) -> Option<String> {
        let mut claims = claims(issuer, persona, &persona.audience)?;
        let members = claims.as_object_mut()?;
        members.insert("client_id".to_owned(), client_id.into());
        members.insert("jti".to_owned(), Uuid::now_v7().to_string().into());
        self.token("at+jwt", &claims)
    }

    /// Signs the ID token for the client. `at_hash` binds it to the access token, and the server
    /// rejects tokens with `at_hash` as access tokens.
    pub(crate) fn id_token(
        &self,
        issuer: &str,
        persona: &Persona,
        grant: &Grant,
        access_token: &str,
    ) -> Option<String> {
        let mut claims = claims(issuer, persona, &grant.client_id)?;
        let members = claims.as_object_mut()?;
        let hash = Sha256::digest(access_token);
        members.insert("at_hash".to_owned(), encode(hash.get(..16)?).into());
        if let Some(nonce) = &grant.nonce {
            members.insert("nonce".to_owned(), nonce.as_str().into());
        }
        self.token("JWT", &claims)
    }

    fn token(&self, typ: &str, claims: &Value) -> Option<String> {
        let header = json!({ "alg": "ES256", "kid": self.key_id, "typ": typ });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", encode(signature)))
    }
}

fn claims(issuer: &str, persona: &Persona, audience: &str) -> Option<Value> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let now = i64::try_from(since_epoch.as_secs()).ok()?;
    Some(json!({
        "iss": issuer,
        "sub": persona.subject,
        "aud": audience,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "email": persona.email,
        "email_verified": true,
        "name": persona.full_name,
        "groups": persona.groups,
    }))
}

/// Generates an authorization code from 32 random bytes.
pub(crate) fn random_code() -> Option<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    Some(encode(bytes))
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
