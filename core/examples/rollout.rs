//! Plans to raise a rollout from 10 to 25 % in the sample world and prints which tenants it
//! affects.

use std::io::{Write, stdout};

use dezky_core::world::{Edit, World};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = World::from_json(include_bytes!("../../fixtures/sample/world.json"))?;
    let edit = Edit::from_json(
        br#"{ "edits": [{ "kind": "putFlag", "flag":
            { "key": "jmap_native_v2", "state": "rollout", "pct": 25, "scope": { "plans": ["business", "enterprise"] } } }] }"#,
    )?;
    let plan = world.plan(&edit)?;
    let mut out = stdout().lock();
    for pair in plan.gained() {
        writeln!(out, "{} turns on for {}", pair.key, pair.tenant_id)?;
    }
    for total in plan.by_plan() {
        writeln!(out, "plan {}: {} gained, {} lost", total.plan, total.gained, total.lost)?;
    }
    writeln!(out, "each tenant turns on at this percentage:")?;
    for step in world.ladder("jmap_native_v2")?.steps() {
        writeln!(out, "{:>6} %  {}", step.pct.to_string(), step.tenant_id)?;
    }
    Ok(())
}
