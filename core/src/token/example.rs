// A key set and a token, signed with its first key, for the examples of the documentation. The
// oracle signed the token with a key that is derived from a public sentence.

pub const KEYS: &[u8] = br#"{ "keys": [
    { "kty": "OKP", "crv": "Ed25519", "kid": "2026-03", "use": "sig", "x": "yNbvQHMTRCi760O1_VlcFJeu1r4iul_9LAUSqpOFrx0" },
    { "kty": "EC", "crv": "P-384", "kid": "other", "use": "sig", "x": "", "y": "" }
] }"#;

pub const TOKEN: &str = concat!(
    "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMDMifQ",
    ".eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnLyIsInN1YiI6ImFkYSIsImF1ZCI6WyJkZXpreS1wb3J0YWwiLCJkZXpreS1vcGVyYXRvciJdLCJpYXQiOjE3NzIzNjYzNDAsImV4cCI6MTc3MjM2NjcwMCwiZW1haWwiOiJhZGFAZXhhbXBsZS5vcmciLCJzY29wZSI6Im9wZW5pZCBlbWFpbCJ9",
    ".ixDT3IT4KcQdR2B-JDOBNPz3fc1gCSum-0R3TjEaGHaCcclkgq0WjmDTg1zUZ_AZar_h0rn94nVWt8R9rBjqAw",
);
