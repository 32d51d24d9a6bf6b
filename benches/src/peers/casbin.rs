//! Casbin at its best: shared strings, the measured rule first, and its cache separately.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use casbin::rhai::ImmutableString;
use casbin::{
    CachedApi, CachedEnforcer, CoreApi, DefaultCache, DefaultModel, Enforcer, MgmtApi, NullAdapter,
};

use crate::access::{Case, Cases};

/// Roles per tenant. The cheap comparison comes first, so that other rules cost little.
const MODEL: &str = r#"
[request_definition]
r = sub, act, dom

[policy_definition]
p = sub, act

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && (g(r.sub, p.sub, r.dom) || g(r.sub, p.sub, "*"))
"#;

/// Five rules with the measured one first. Evaluation stops at the first that allows.
const RULES: [[&str; 2]; 5] = [
    ["member", "tenant.read"],
    ["platform_admin", "tenant.read"],
    ["operator", "tenant.suspend"],
    ["operator", "tenant.update"],
    ["admin", "tenant.update"],
];

pub struct Casbin {
    plain: Enforcer,
    cached: CachedEnforcer,
}

pub type Arguments = [ImmutableString; 3];

impl Casbin {
    pub fn new(cases: &Cases) -> Result<Self, String> {
        let mut plain = finish(Enforcer::new(model()?, NullAdapter)).map_err(|error| error.to_string())?;
        let mut cached =
            finish(CachedEnforcer::new(model()?, NullAdapter)).map_err(|error| error.to_string())?;
        cached.set_cache(Box::new(DefaultCache::new(cases.people.len() * 100)));
        fill(&mut plain, cases)?;
        fill(&mut cached, cases)?;
        Ok(Self { plain, cached })
    }

    /// The operator audience is a property of the token, so it is part of the subject.
    pub fn arguments(case: &Case) -> Arguments {
        let subject = match case.person.operator_audience {
            true => format!("{}@operator", case.person.id),
            false => case.person.id.clone(),
        };
        [subject.into(), case.action.into(), case.tenant.as_str().into()]
    }

    #[inline]
    pub fn is_allowed(&self, arguments: &Arguments) -> bool {
        self.plain.enforce(arguments.to_vec()).unwrap_or(false)
    }

    #[inline]
    pub fn is_allowed_by_cache(&self, arguments: &Arguments) -> bool {
        self.cached.enforce(arguments.to_vec()).unwrap_or(false)
    }
}

fn model() -> Result<DefaultModel, String> {
    finish(DefaultModel::from_str(MODEL)).map_err(|error| error.to_string())
}

fn fill(enforcer: &mut impl MgmtApi, cases: &Cases) -> Result<(), String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let rules = RULES.iter().map(|rule| owned(rule)).collect();
    finish(enforcer.add_policies(rules)).map_err(|error| error.to_string())?;
    let mut roles = Vec::new();
    for person in &cases.people {
        let operator = format!("{}@operator", person.id);
        for tenant in &person.tenants {
            roles.push(owned(&[&person.id, "member", tenant]));
            if person.role == "admin" {
                roles.push(owned(&[&person.id, "admin", tenant]));
            }
        }
        if person.platform_admin {
            roles.push(owned(&[&person.id, "platform_admin", "*"]));
            roles.push(owned(&[&operator, "platform_admin", "*"]));
            roles.push(owned(&[&operator, "operator", "*"]));
        }
    }
    finish(enforcer.add_grouping_policies(roles)).map_err(|error| error.to_string())?;
    Ok(())
}

/// Casbin's setup is async but never waits, so polling until it is ready is enough.
fn finish<Output>(future: impl Future<Output = Output>) -> Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
