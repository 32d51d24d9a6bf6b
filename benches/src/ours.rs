//! Dezky behind the same interface as the peers. All calls of core are in this file.

use std::hint::black_box;

use dezky::{Client, ConnectOptions};
pub use dezky_core::access::AccessRequest as Question;
use dezky_core::access::decide;
use dezky_core::flags::{Evaluation, Ruleset, Snapshot, Subject};
pub use dezky_core::world::{Edit, World};

use crate::access::{Case, Person};
use crate::engine::FlagEngine;
use crate::workload::{ENVIRONMENT, Flag, PARTNERS, ROLLOUT_PERCENT, State, Tenant, Workload};

pub struct Ours(Ruleset);

impl FlagEngine for Ours {
    type Subject<'a> = Subject<'a>;
    type Evaluation = Evaluation;

    fn document(workload: &Workload) -> Vec<u8> {
        snapshot_document(workload, None)
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        let snapshot = Snapshot::from_json(&document).map_err(|error| error.to_string())?;
        Ok(Self(Ruleset::new(snapshot)))
    }

    fn subject(tenant: &Tenant) -> Subject<'_> {
        let subject = Subject::new(&tenant.id, &tenant.slug, tenant.plan);
        let subject = match tenant.partner {
            Some(partner) => subject.and_then(|subject| subject.with_partner(partner)),
            None => subject,
        };
        subject.expect("the workload's names are well formed")
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &Subject<'_>) -> bool {
        self.0.is_enabled(key, subject)
    }

    fn new_evaluation(&self) -> Evaluation {
        let nobody = Subject::new("nobody", "nobody", "none").expect("these names are well formed");
        self.0.evaluate_all(&nobody)
    }

    fn evaluate_all(&self, subject: &Subject<'_>, evaluation: &mut Evaluation) {
        self.0.evaluate_all_into(subject, evaluation);
    }

    fn enabled_in(&self, evaluation: &Evaluation, key: &str) -> bool {
        evaluation.is_enabled(key)
    }
}

/// The rules in a live client. Its server does not exist, so it retries in the background.
pub struct OursLive(Client);

impl FlagEngine for OursLive {
    type Subject<'a> = Subject<'a>;
    type Evaluation = Evaluation;

    fn document(workload: &Workload) -> Vec<u8> {
        snapshot_document(workload, None)
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        let options = ConnectOptions::new("http://127.0.0.1:9", "dzk_nobody").snapshot(document);
        Client::connect(options).map(Self).map_err(|error| error.to_string())
    }

    fn subject(tenant: &Tenant) -> Subject<'_> {
        Ours::subject(tenant)
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &Subject<'_>) -> bool {
        self.0.is_enabled(key, subject)
    }

    fn new_evaluation(&self) -> Evaluation {
        let nobody = Subject::new("nobody", "nobody", "none").expect("these names are well formed");
        self.0.for_tenant(&nobody)
    }

    fn evaluate_all(&self, subject: &Subject<'_>, evaluation: &mut Evaluation) {
        self.0.ruleset().evaluate_all_into(subject, evaluation);
    }

    fn enabled_in(&self, evaluation: &Evaluation, key: &str) -> bool {
        evaluation.is_enabled(key)
    }
}

pub fn fingerprint(engine: &Ours, subjects: &[Subject<'_>]) -> String {
    engine.0.fingerprint(subjects).as_str().to_owned()
}

fn snapshot_document(workload: &Workload, exception: Option<(&str, u32)>) -> Vec<u8> {
    let flags = flags_document(workload, exception);
    format!(r#"{{"format":1,"revision":481,"environment":"{ENVIRONMENT}","flags":[{flags}]}}"#).into_bytes()
}

/// Returns the flags, with another percentage for the excepted rollout.
fn flags_document(workload: &Workload, exception: Option<(&str, u32)>) -> String {
    let percent = |flag: &Flag| match exception {
        Some((key, percent)) if key == flag.key => percent,
        _ => ROLLOUT_PERCENT,
    };
    let flags = workload.flags.iter().map(|flag| flag_document(workload, flag, percent(flag)));
    flags.collect::<Vec<_>>().join(",")
}

/// Returns a flag in canonical form, as a server sends it. No name needs escaping.
fn flag_document(workload: &Workload, flag: &Flag, rollout_percent: u32) -> String {
    let state = match flag.state {
        State::Off => "off",
        State::On => "on",
        State::Targeted => "targeted",
        State::Rollout => "rollout",
    };
    let pct = if flag.state == State::Rollout { rollout_percent } else { 0 };
    let plans = list(flag.plans.iter().copied());
    let slugs = list(workload.slugs(flag));
    format!(
        r#"{{"key":"{}","state":"{state}","pct":{pct},"scope":{{"plans":{plans},"tenantSlugs":{slugs},"partnerSlugs":[],"environments":[]}}}}"#,
        flag.key
    )
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let mut values: Vec<&str> = values.collect();
    values.sort_unstable();
    if values.is_empty() { "[]".to_owned() } else { format!(r#"["{}"]"#, values.join(r#"",""#)) }
}

/// Returns the workload as a world, with another percentage for one rollout.
pub fn world(workload: &Workload, edited_key: &str, percent: u32) -> Result<World, String> {
    let partner_id = |slug: &str| format!("partner-{slug}");
    let partners = PARTNERS.map(|slug| format!(r#"{{"id":"{}","slug":"{slug}"}}"#, partner_id(slug)));
    let tenants: Vec<String> = workload
        .tenants
        .iter()
        .map(|Tenant { id, slug, plan, partner }| {
            let partner =
                partner.map_or_else(String::new, |slug| format!(r#","partnerId":"{}""#, partner_id(slug)));
            format!(r#"{{"id":"{id}","slug":"{slug}","plan":"{plan}"{partner}}}"#)
        })
        .collect();
    let flags = flags_document(workload, Some((edited_key, percent)));
    let (partners, tenants) = (partners.join(","), tenants.join(","));
    let document = format!(
        r#"{{"revision":481,"environment":"{ENVIRONMENT}","partners":[{partners}],"tenants":[{tenants}],"flags":[{flags}]}}"#
    );
    World::from_json(document.as_bytes()).map_err(|error| error.to_string())
}

/// Returns the edit that gives a rollout another percentage.
pub fn edit(workload: &Workload, flag: &Flag, percent: u32) -> Result<Edit, String> {
    let flag = flag_document(workload, flag, percent);
    let document = format!(r#"{{"edits":[{{"kind":"putFlag","flag":{flag}}}]}}"#);
    Edit::from_json(document.as_bytes()).map_err(|error| error.to_string())
}

/// Plans the edit and reads the whole plan, with its totals and its digest.
pub fn plan(world: &World, edit: &Edit) -> (usize, usize) {
    let plan = world.plan(edit).expect("the edit fits the world");
    black_box((plan.by_plan(), plan.by_partner(), plan.digest()));
    (plan.gained().len(), plan.lost().len())
}

/// Returns the ids of the tenants that gain and the number of those that lose.
pub fn plan_effect(world: &World, edit: &Edit) -> Result<(Vec<String>, usize), String> {
    let plan = world.plan(edit).map_err(|error| error.to_string())?;
    Ok((plan.gained().map(|pair| pair.tenant_id.to_owned()).collect(), plan.lost().len()))
}

/// Returns the workload as a ruleset, with another percentage for one rollout.
pub fn with_percent(workload: &Workload, edited_key: &str, percent: u32) -> Result<Ours, String> {
    Ours::load(snapshot_document(workload, Some((edited_key, percent))))
}

pub fn question(case: &Case<'_>) -> Result<Question, String> {
    Question::from_json(document(case).as_bytes()).map_err(|error| error.to_string())
}

/// The request document of a case.
pub fn document(case: &Case<'_>) -> String {
    let Person { id, role, platform_admin, tenants, operator_audience } = case.person;
    let audience = if *operator_audience { "dezky-operator" } else { "dezky-portal" };
    let document = serde_json::json!({
        "principal": {
            "subject": id,
            "audiences": [audience],
            "user": {
                "id": id, "active": true, "platformAdmin": platform_admin, "role": role, "tenantIds": tenants,
            },
        },
        "action": case.action,
        "resource": { "tenantId": case.tenant, "tenantStatus": "active", "fields": ["name"] },
    });
    document.to_string()
}

#[inline]
pub fn is_allowed(question: &Question) -> bool {
    decide(&question.principal, question.action, &question.resource).allowed
}
