//! Properties of reading: no input panics, and the parser accepts the same JSON as serde_json.

use dezky_core::access::AccessRequest;
use dezky_core::flags::{Snapshot, SubjectDocument};
use dezky_core::model::{Change, Flag, Partner, Subscription, Tenant, User};
use dezky_core::names::Percent;
use dezky_core::world::{Edit, World};
use dezky_core::{Code, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Valid documents of several kinds, which the tests damage.
const DOCUMENTS: [&str; 6] = [
    r#"{"format":1,"revision":481,"environment":"production","flags":[{"key":"a","state":"rollout","pct":37.25,"scope":{"plans":["business"],"tenantSlugs":[],"partnerSlugs":["nordic"],"environments":[]}}]}"#,
    r#"{"revision":1,"environment":"production","partners":[{"id":"p1","slug":"nordic"}],"tenants":[{"id":"t1","slug":"acme","plan":"free","partnerId":"p1","status":"active"}],"flags":[]}"#,
    r#"{"edits":[{"kind":"putFlag","flag":{"key":"a","state":"on"}},{"kind":"deleteFlag","key":"a"},{"kind":"moveTenant","tenantId":"t1","plan":"free","partnerSlug":null}]}"#,
    r#"{"principal":{"subject":"s","audiences":["dezky-operator"],"user":{"id":"u1","active":true,"platformAdmin":true,"role":"owner","tenantIds":["t1"]}},"action":"tenant.update","resource":{"tenantId":"t1","fields":["name"]}}"#,
    r#"{"id":"s1","tenantId":"t1","plan":"free","status":"active","price":{"amount":1,"currency":"eur","interval":"month"},"periods":{"currentStart":"2026-01-01T00:00:00+01:00"}}"#,
    r#"{"revision":1,"at":"2026-01-01T00:00:00Z","action":"x","entity":{"kind":"flag","id":"a"},"before":{"n":[1.5,-2,null,"\\ud83d\\ude00"]},"previousHash":"","hash":""}"#,
];

/// Calls every reader with the bytes and ignores the results.
fn read_everything(bytes: &[u8]) {
    let _ = Snapshot::from_json(bytes).map(|snapshot| snapshot.digest());
    let _ = World::from_json(bytes).map(|world| world.fingerprint());
    let _ = Edit::from_json(bytes);
    let _ = AccessRequest::from_json(bytes).map(|request| request.decide());
    let _ = SubjectDocument::from_json(bytes);
    let _ = Tenant::from_json(bytes);
    let _ = Partner::from_json(bytes);
    let _ = User::from_json(bytes);
    let _ = Subscription::from_json(bytes);
    let _ = Flag::from_json(bytes);
    let _ = Change::from_json(bytes);
    let _ = Percent::from_json(bytes);
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = Timestamp::parse(text);
    }
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = proptest::collection::vec(
        (any::<Index>(), select(b"\"\\{}[],:019.eE-+tn\x00\x1f\x80\xff\xc3 u".as_slice()), any::<bool>()),
        1..4,
    );
    (select(&DOCUMENTS[..]), damage).prop_map(|(document, damage)| {
        let mut bytes = document.as_bytes().to_vec();
        for (index, byte, insert) in damage {
            let at = index.index(bytes.len());
            if insert {
                bytes.insert(at, byte);
            } else {
                bytes[at] = byte;
            }
        }
        bytes
    })
}

/// Returns whether core parses the bytes as JSON, regardless of their content.
fn core_parses(bytes: &[u8]) -> bool {
    let parse_errors = [Code::InvalidUtf8, Code::InvalidJson, Code::TooDeep, Code::DuplicateMember];
    SubjectDocument::from_json(bytes).err().is_none_or(|error| !parse_errors.contains(&error.code))
}

/// Returns whether serde_json parses the bytes, or `None` if it rejects only the range of a number.
/// Unlike core, serde_json accepts repeated members.
fn serde_json_parses(bytes: &[u8]) -> Option<bool> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(_) => Some(true),
        Err(error) if error.to_string().contains("number out of range") => None,
        Err(_) => Some(false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn damaged_documents_do_not_panic(bytes in damaged()) {
        read_everything(&bytes);
    }

    #[test]
    fn core_and_serde_json_parse_the_same_documents(bytes in damaged()) {
        let repeats = SubjectDocument::from_json(&bytes).err().is_some_and(|error| error.code == Code::DuplicateMember);
        if let Some(expected) = serde_json_parses(&bytes) && !repeats {
            prop_assert_eq!(core_parses(&bytes), expected, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn a_time_survives_a_round_trip(micros in -62_135_596_800_000_000..253_402_300_800_000_000_i64) {
        let time = Timestamp::from_micros(micros).unwrap();
        prop_assert_eq!(Timestamp::parse(&time.to_string()).unwrap(), time);
    }

    #[test]
    fn a_percentage_survives_a_round_trip(hundredths in 0..=10_000_u16) {
        let percent = Percent::from_hundredths(hundredths).unwrap();
        prop_assert_eq!(Percent::from_json(percent.to_string().as_bytes()).unwrap(), percent);
        let serde = serde_json::to_string(&percent).unwrap();
        prop_assert_eq!(&serde, &percent.to_string());
        prop_assert_eq!(serde_json::from_str::<Percent>(&serde).unwrap(), percent);
    }
}

#[test]
fn times_outside_the_calendar_are_rejected() {
    for micros in [i64::MIN, -62_135_596_800_000_001, 253_402_300_800_000_000, i64::MAX] {
        assert_eq!(Timestamp::from_micros(micros).unwrap_err().code, Code::InvalidTime);
    }
}
