//! Invalid settings: refused before any fetch, with a message that names the setting.

use dezky_core::token::TokenRule;
use dezky_server::identity::{Identity, IdentitySettings, TrustedIssuer};

fn settings(issuers: &[&str]) -> IdentitySettings {
    IdentitySettings {
        issuers: issuers.iter().map(|&issuer| TrustedIssuer::new(issuer)).collect(),
        audiences: vec!["dezky-portal".to_owned()],
        ..IdentitySettings::default()
    }
}

fn refusal(settings: IdentitySettings) -> String {
    Identity::new(settings).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

#[test]
fn an_issuer_must_use_https_or_loopback() {
    for allowed in [
        "https://id.example.org/application/o/dezky/",
        "https://id.example.org",
        "http://127.0.0.1:9000/",
        "http://127.8.8.8/",
        "http://localhost:9000/a",
        "http://[::1]:9000/",
    ] {
        assert_eq!(refusal(settings(&[allowed])), "accepted", "{allowed}");
    }
    for (refused, reason) in [
        ("http://id.example.org/", "loopback only"),
        ("http://127.0.0.1.example.org/", "loopback only"),
        ("http://localhost.example.org/", "loopback only"),
        ("http://10.0.0.1/", "loopback only"),
        ("http://[::ffff:10.0.0.1]/", "loopback only"),
        ("http://0.0.0.0/", "loopback only"),
        ("ftp://id.example.org/", "only https"),
        ("id.example.org", "not an absolute URL"),
        ("https://a:b@id.example.org/", "password"),
        ("https://id.example.org/?a=b", "query"),
        ("https://id.example.org/#a", "fragment"),
    ] {
        let refusal = refusal(settings(&[refused]));
        assert!(refusal.contains(reason) && refusal.contains(refused), "{refused}: {refusal}");
    }
}

#[test]
fn an_issuer_may_name_its_rule() {
    let issuer = |text: &str| text.parse::<TrustedIssuer>().map_err(|error| error.to_string());
    let expected = |name: &str, rule| Ok(TrustedIssuer { name: name.to_owned(), rule });
    let name = "https://id.example.org/application/o/portal/";
    assert_eq!(issuer(name), expected(name, TokenRule::Generic));
    assert_eq!(issuer(&format!("{name}=generic")), expected(name, TokenRule::Generic));
    assert_eq!(issuer(&format!("{name}=authentik")), expected(name, TokenRule::Authentik));
    let odd = "https://id.example.org/a=b";
    assert_eq!(issuer(&format!("{odd}=generic")), expected(odd, TokenRule::Generic));
    // A query makes the address itself invalid. The address check reports that later.
    for address in ["https://id.example.org/?a=b", "https://id.example.org/?rule=authentik"] {
        assert_eq!(issuer(address), expected(address, TokenRule::Generic));
    }
    for rule in ["", "keycloak", "Authentik", "generic "] {
        let refusal = issuer(&format!("{name}={rule}")).unwrap_err();
        assert!(refusal.contains(&format!("unknown rule {rule:?}")), "{refusal}");
        assert!(refusal.contains("generic, authentik"), "{refusal}");
    }
}

#[test]
fn issuers_and_audiences_are_required_and_unique() {
    assert!(refusal(settings(&[])).contains("token_policy_issuers"));
    let twice = settings(&["https://id.example.org/", "https://id.example.org/"]);
    assert!(refusal(twice).contains("twice"));
    let no_audience = IdentitySettings { audiences: Vec::new(), ..settings(&["https://id.example.org/"]) };
    assert!(refusal(no_audience).contains("token_policy_audiences"));
}

#[test]
fn a_key_address_needs_exactly_one_issuer_and_follows_the_issuer_rules() {
    let with = |issuers: &[&str], url: &str| IdentitySettings {
        jwks_url: Some(url.to_owned()),
        ..settings(issuers)
    };
    let several = with(&["https://a.example.org/", "https://b.example.org/"], "https://a.example.org/jwks");
    assert!(refusal(several).contains("exactly one issuer, and there are 2"));
    let plain = with(&["https://a.example.org/"], "http://a.example.org/jwks");
    assert!(refusal(plain).contains("loopback only"));
    assert_eq!(refusal(with(&["https://a.example.org/"], "https://keys.example.org/jwks?v=1")), "accepted");
}

#[test]
fn a_private_root_file_must_hold_a_certificate() {
    let directory = std::env::temp_dir().join(format!("dezky-roots-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let with = |file: &str, content: Option<&str>| {
        let path = directory.join(file);
        content.iter().for_each(|content| std::fs::write(&path, content).unwrap());
        refusal(IdentitySettings { extra_ca: Some(path), ..settings(&["https://id.example.org/"]) })
    };
    assert!(with("missing.pem", None).contains("missing.pem"));
    assert!(with("empty.pem", Some("")).contains("no certificate"));
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let refusal = with("nonsense.pem", Some(nonsense));
    assert!(refusal.contains("nonsense.pem"), "{refusal}");
    std::fs::remove_dir_all(&directory).unwrap();
}
