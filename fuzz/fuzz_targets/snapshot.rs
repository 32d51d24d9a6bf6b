//! Any bytes to every reader of a document; what a snapshot says must survive its canonical form.
#![no_main]

use dezky_core::access::AccessRequest;
use dezky_core::flags::{Ruleset, Snapshot, Subject};
use dezky_core::json::{JsonDocument, JsonNode, read_json};
use dezky_core::model::{Change, Flag, Subscription, Tenant, User};
use dezky_core::world::{Edit, World};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = Snapshot::from_json(bytes) {
        let text = snapshot.to_canonical_json();
        let again = Snapshot::from_json(text.as_bytes()).expect("the canonical form is well formed");
        assert_eq!(again, snapshot);
        assert_eq!(again.to_canonical_json(), text);

        let rules = Ruleset::new(snapshot);
        let subject = Subject::new("t1", "acme", "business").expect("these names are well formed");
        let all = rules.evaluate_all(&subject);
        for (key, enabled) in all.iter() {
            assert_eq!(rules.is_enabled(key, &subject), enabled);
            assert_eq!(rules.explain(key, &subject).enabled, enabled);
        }
    }
    if let (Ok(world), Ok(edit)) = (World::from_json(bytes), Edit::from_json(bytes)) {
        let _ = world.plan(&edit);
    }
    if let Ok(request) = AccessRequest::from_json(bytes) {
        let decision = request.decide();
        assert_eq!(decision.allowed, decision.reason.allows());
    }
    let (read, seen) = (read_json(bytes, bytes.len()), JsonDocument::read(bytes, bytes.len()));
    assert_eq!(read.as_ref().err(), seen.as_ref().err());
    if let (Ok(value), Ok(document)) = (read, seen) {
        assert_eq!(document.at(&[]) == JsonNode::Object, value.is_object());
        for (name, member) in value.as_object().into_iter().flatten() {
            let text = member.as_str().map(JsonNode::Text);
            assert!(text.is_none_or(|text| document.at(&[name]) == text));
        }
    }
    let _ = Tenant::from_json(bytes);
    let _ = User::from_json(bytes);
    let _ = Subscription::from_json(bytes);
    let _ = Flag::from_json(bytes);
    let _ = Change::from_json(bytes);
});
