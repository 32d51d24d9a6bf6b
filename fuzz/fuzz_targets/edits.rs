//! Reads any bytes as an edit of a small world: every edit that is read can be planned, a plan is
//! repeatable, and a patch has the effect of the flag that it makes.
#![no_main]

use dezky_core::flags::Snapshot;
use dezky_core::model::FlagPatch;
use dezky_core::world::{Edit, EditStep, World};
use libfuzzer_sys::fuzz_target;

macro_rules! flags {
    () => {
        r#""flags": [
            { "key": "a", "state": "on" },
            { "key": "b", "state": "rollout", "pct": 50, "scope": { "plans": ["business"], "partnerSlugs": ["nordic"] } },
            { "key": "c", "state": "off" }
        ] }"#
    };
}

const WORLD: &str = concat!(
    r#"{ "revision": 7, "environment": "production",
        "partners": [{ "id": "p1", "slug": "nordic" }, { "id": "p2", "slug": "baltic" }],
        "tenants": [
            { "id": "t1", "slug": "acme", "plan": "business", "partnerId": "p1" },
            { "id": "t2", "slug": "umbrella", "plan": "free" },
            { "id": "t3", "slug": "globex", "plan": "business", "partnerId": "p2", "status": "suspended" },
            { "id": "t4", "slug": "gone", "plan": "free", "status": "terminated" }
        ],"#,
    flags!()
);

const SNAPSHOT: &str = concat!(r#"{ "format": 1, "revision": 7, "environment": "production","#, flags!());

fuzz_target!(|bytes: &[u8]| {
    let world = World::from_json(WORLD.as_bytes()).expect("this world is well formed");
    let _ = FlagPatch::from_json(bytes);
    let _ = Snapshot::normalize(bytes);
    let Ok(edit) = Edit::from_json(bytes) else { return };
    let Ok(plan) = world.plan(&edit) else { return };
    let again = world.plan(&edit).expect("what was planned can be planned again");
    assert_eq!(plan.digest(), again.digest());

    // One flag patched once is that flag put.
    let [EditStep::PatchFlag(key, patch)] = edit.steps() else { return };
    let snapshot = Snapshot::from_json(SNAPSHOT.as_bytes()).expect("this snapshot is well formed");
    let rule = snapshot.flags().iter().find(|rule| rule.key == *key).expect("a flag that was planned exists");
    let put = world.plan(&Edit::put_flag(patch.merged_rule(rule))).expect("a flag can be put");
    assert_eq!(plan.digest(), put.digest());
});
