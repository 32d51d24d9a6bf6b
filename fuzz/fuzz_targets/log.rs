//! Reads any lines as a change log, and any document in one: a written log is read back unchanged,
//! and a changed log does not verify.
#![no_main]

use dezky_core::Timestamp;
use dezky_core::json::read_json;
use dezky_core::model::{Actor, Change, ChangeContent, EntityRef, verify_chain};
use dezky_core::names::Label;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let changes: Vec<Change> = lines.map_while(|line| Change::from_json(line).ok()).collect();
    if let Ok(head) = verify_chain(&changes) {
        assert!(changes.last().is_none_or(|last| last.hash == head));
        for change in &changes {
            let text = serde_json::to_vec(change).expect("a change can be written");
            assert_eq!(Change::from_json(&text).as_ref(), Ok(change));
        }
        if let [.., before, last] = changes.as_slice() {
            // Nothing of a change can be another's.
            let swapped = Change { content: before.content.clone(), ..last.clone() };
            let is_same = swapped == *last;
            assert_eq!(verify_chain(&[before.clone(), swapped]).is_ok(), is_same);
        }
    }
    let Ok(document) = read_json(bytes, bytes.len()) else { return };
    let label = |text| Label::new(text).expect("a good label");
    let content = ChangeContent {
        at: Timestamp::EPOCH,
        actor: Actor::default(),
        action: label("tenant.update"),
        entity: EntityRef { kind: label("tenant"), id: label("t1") },
        before: serde_json::Value::Null,
        after: document,
    };
    let first = content.clone().follow(None);
    let second = content.follow(Some(&first));
    assert_eq!(verify_chain(&[first.clone(), second.clone()]), Ok(second.hash.clone()));
    let text = serde_json::to_vec(&second).expect("a change can be written");
    // Some numbers are not read back; what is read back is the same.
    if let Ok(again) = Change::from_json(&text) {
        assert_eq!(verify_chain(&[first, again]), Ok(second.hash));
    }
});
