//! Access tokens: what is accepted, and that all else is refused with its own code and path.
#![cfg(feature = "token")]

#[cfg(test)]
mod token_support;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dezky_core::Code;
    use dezky_core::token::{KeySet, TokenPolicy, TokenRule, TokenVerifier};
    use serde_json::{Value, json};

    use super::token_support::issuer::{Signer, ec, ed, rsa};
    use super::token_support::*;

    #[test]
    fn every_refusal_has_its_code_and_path() {
        let wrong: Vec<_> = cases()
            .into_iter()
            .filter(|case| case.found != case.expected)
            .map(|case| format!("{}: expected {:?}, found {:?}", case.name, case.expected, case.found))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_code_is_of_some_refusal() {
        let code_of = |found: &String| found.split(' ').next().unwrap_or_default().to_owned();
        let found: BTreeSet<_> = cases().iter().flat_map(|case| &case.found).map(code_of).collect();
        let ours = |code: &&str| code.starts_with("token_") || code.starts_with("key_");
        let never: Vec<_> = Code::ALL
            .iter()
            .map(|code| code.as_str())
            .filter(ours)
            .filter(|code| !found.contains(*code))
            .collect();
        assert!(never.is_empty(), "{never:?}");
    }

    #[test]
    fn each_algorithm_is_accepted_with_and_without_an_id() {
        let by = [
            ("RS256", rsa(), "rsa"),
            ("PS256", rsa(), "rsa"),
            ("ES256", ec(), "ec"),
            ("EdDSA", ed(), "ed"),
            ("Ed25519", ed(), "ed"),
        ];
        for (alg, signer, kid) in by {
            verify(&good_token(signer, alg, kid)).unwrap();
            verify(&signer.token_by(alg, &json!({ "alg": alg }), &good_claims())).unwrap();
            let pinned = set(&[changed(
                signer.jwk("pinned"),
                json!({ "alg": alg, "use": "sig", "key_ops": ["verify"] }),
            )])
            .unwrap();
            verifier().with_keys(pinned).verify(&good_token(signer, alg, "pinned"), at(NOW)).unwrap();
        }
    }

    #[test]
    fn headers_may_say_more_and_none_of_it_is_followed() {
        let attacker = Signer::new_ed().jwk("ed");
        let more = [
            json!({ "typ": "JWT" }),
            json!({ "typ": "jwt" }),
            json!({ "typ": "at+jwt" }),
            json!({ "typ": "AT+JWT" }),
            json!({ "typ": "application/at+jwt" }),
            json!({ "x5t": "abc", "unknown": [1, { "a": null }] }),
            json!({ "jwk": attacker, "jku": "https://evil.example/", "x5u": "https://evil.example/", "x5c": ["MIIB"] }),
        ];
        for header in more {
            verify(&with_header(header.clone())).unwrap_or_else(|error| panic!("{header}: {error}"));
        }
    }

    #[test]
    fn claims_come_out_as_they_are() {
        let claims = verify(&with_claims(json!({
            "aud": ["another", "dezky-operator"], "azp": "dezky-portal", "email": "Ada@Example.org", "email_verified": true,
            "name": "Ada Lovelace", "groups": ["b", "a"], "nbf": NOW, "scope": "openid", "nonce": "kept", "typ": "Bearer"
        })))
        .unwrap();
        assert_eq!(
            serde_json::to_value(&claims).unwrap(),
            json!({
                "issuer": ISSUER, "subject": "ada", "audiences": ["another", "dezky-operator"],
                "issuedAt": "2026-03-01T11:59:00Z", "expiresAt": "2026-03-01T12:04:00Z",
                "email": "ada@example.org", "emailVerified": true, "name": "Ada Lovelace", "groups": ["b", "a"]
            })
        );
        let bare = serde_json::to_value(verify(&with_claims(json!({ "email": "" }))).unwrap()).unwrap();
        let members: Vec<_> = bare.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            BTreeSet::from_iter(members),
            BTreeSet::from(["issuer", "subject", "audiences", "issuedAt", "expiresAt", "groups"])
        );
    }

    #[test]
    fn each_rule_accepts_its_issuers_access_tokens_alone() {
        let bare = json!({ "client_id": null, "scope": null, "nonce": "n" });
        let with = |members: Value| claims_with(changed(bare.clone(), members));
        let authentik = json!({ "azp": "dezky-portal", "uid": "a1B2".repeat(10), "scope": "" });
        let tokens = [
            ("JWT", with(authentik), [true, true]),
            ("JWT", with(json!({ "client_id": "portal", "scope": "openid" })), [true, false]),
            ("at+jwt", with(json!({})), [true, false]),
            ("JWT", with(json!({})), [false, false]),
        ];
        for (typ, claims, expected) in tokens {
            let token = ed().token(&json!({ "alg": "EdDSA", "kid": "ed", "typ": typ }), &claims);
            let accepted = [TokenRule::Generic, TokenRule::Authentik].map(|rule| {
                TokenVerifier::new(policy().rule(rule), key_set()).verify(&token, at(NOW)).is_ok()
            });
            assert_eq!(accepted, expected, "{typ} {claims}");
        }
    }

    #[test]
    fn leeway_moves_every_edge_by_as_much() {
        let outcome = |leeway: u32, changes: Value| {
            let verifier = TokenVerifier::new(policy().leeway_seconds(leeway).unwrap(), key_set());
            verifier.verify(&with_claims(changes), at(NOW)).map(|_| ()).map_err(|error| error.code)
        };
        for leeway in [0, 5, 30] {
            let edge = i64::from(leeway);
            assert_eq!(outcome(leeway, json!({ "exp": NOW - edge + 1 })), Ok(()));
            assert_eq!(outcome(leeway, json!({ "exp": NOW - edge })), Err(Code::TokenExpired));
            assert_eq!(outcome(leeway, json!({ "nbf": NOW + edge })), Ok(()));
            assert_eq!(outcome(leeway, json!({ "nbf": NOW + edge + 1 })), Err(Code::TokenNotYetValid));
            assert_eq!(outcome(leeway, json!({ "iat": NOW + edge })), Ok(()));
            assert_eq!(outcome(leeway, json!({ "iat": NOW + edge + 1 })), Err(Code::TokenIssuedInFuture));
        }
        assert_eq!(outcome(5, json!({ "iat": NOW, "exp": NOW + 86_400 })), Ok(()));
        assert_eq!(outcome(5, json!({ "iat": NOW, "exp": NOW + 86_401 })), Err(Code::TokenLifetime));
    }

    #[test]
    fn keys_rotate_with_an_overlap_and_a_withdrawn_key_is_refused_at_once() {
        let (old, new) = (Signer::new_ed(), Signer::new_ed());
        let [by_old, by_new] =
            [(&old, "old"), (&new, "new")].map(|(signer, kid)| good_token(signer, "EdDSA", kid));
        let outcomes = |verifier: &TokenVerifier| {
            [&by_old, &by_new]
                .map(|token| verifier.verify(token, at(NOW)).map(|_| ()).map_err(|error| error.code))
        };
        let before = TokenVerifier::new(policy(), set(&[old.jwk("old")]).unwrap());
        let overlap = before.with_keys(set(&[old.jwk("old"), new.jwk("new")]).unwrap());
        let after = overlap.with_keys(set(&[new.jwk("new")]).unwrap());
        assert_eq!(outcomes(&before), [Ok(()), Err(Code::TokenKidUnknown)]);
        assert_eq!(outcomes(&overlap), [Ok(()), Ok(())]);
        assert_eq!(outcomes(&after), [Err(Code::TokenKidUnknown), Ok(())]);
    }

    #[test]
    fn a_set_keeps_its_good_keys_among_strangers() {
        let strange = json!({ "kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AQAB" });
        let nulls = json!({ "d": null, "alg": null, "use": null, "x5c": null });
        let mut good = ed().jwk("ed");
        good.as_object_mut().unwrap().extend(nulls.as_object().unwrap().clone());
        let keys = set(&[strange, good, ec().jwk("ec")]).unwrap();
        assert_eq!(keys.ids().collect::<Vec<_>>(), ["ed", "ec"]);
        assert_eq!(keys.skipped().len(), 1);
        verifier().with_keys(keys).verify(&good_token(ed(), "EdDSA", "ed"), at(NOW)).unwrap();
    }

    #[test]
    fn no_change_of_a_character_is_accepted() {
        for (signer, alg, kid) in [(rsa(), "RS256", "rsa"), (ec(), "ES256", "ec"), (ed(), "EdDSA", "ed")] {
            let token = good_token(signer, alg, kid);
            for at in 0..token.len() {
                let (before, rest) = token.split_at(at);
                let (old, after) = rest.split_at(1);
                let changed = format!("{before}{}{after}", if old == "A" { "B" } else { "A" });
                assert!(verify(&changed).is_err(), "{changed}");
                assert!(verify(before).is_err(), "{before}");
            }
        }
    }

    #[test]
    fn verifiers_are_shared_between_threads_and_read_with_serde() {
        fn is_shared<T: Send + Sync + Clone>() {}
        is_shared::<TokenVerifier>();
        is_shared::<KeySet>();
        let read: TokenPolicy = serde_json::from_value(
            json!({ "issuers": [ISSUER], "audiences": ["dezky-portal", "dezky-operator"] }),
        )
        .unwrap();
        assert_eq!(read, policy());
    }
}
