"""Dezky through its public API."""

from dezky import Ruleset, Subject
from workload import compact, ENVIRONMENT, PERCENT


def document(workload):
    flags = [
        {
            "key": flag.key,
            "state": flag.state,
            "pct": PERCENT if flag.state == "rollout" else 0,
            "scope": {"plans": flag.plans, "tenantSlugs": flag.slugs, "partnerSlugs": [], "environments": []},
        }
        for flag in workload.flags
    ]
    return compact({"format": 1, "revision": 1, "environment": ENVIRONMENT, "flags": flags})


load = Ruleset.from_snapshot


def subject(tenant):
    return Subject(tenant.id, tenant.slug, tenant.plan, partner_slug=tenant.partner)


def one(rules):
    return rules.is_enabled


def walk(rules, pairs):
    ask = one(rules)

    def run():
        for key, subject in pairs:
            ask(key, subject)

    return run


def every(rules, keys):
    return lambda subject: rules.for_tenant(subject).all()


def resolve(rules):
    return rules.for_tenant
