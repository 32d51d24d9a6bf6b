"""The engine growthbook, in plain Python: one instance for all tenants, no tracking."""

import json

from growthbook import GrowthBook
from workload import compact, PERCENT


def document(workload):
    return compact({flag.key: _feature(flag) for flag in workload.flags})


def _feature(flag):
    if flag.state in ("off", "on"):
        return {"defaultValue": flag.state == "on"}
    scope = [("plan", flag.plans), ("tenantSlug", flag.slugs)]
    rule = {"condition": {name: {"$in": values} for name, values in scope if values}, "force": True}
    if flag.state == "rollout":
        rule |= {"coverage": PERCENT / 100, "hashAttribute": "id", "hashVersion": 2, "seed": flag.key}
    return {"defaultValue": False, "rules": [rule]}


def load(document):
    return GrowthBook(features=json.loads(document))


def subject(tenant):
    return {"id": tenant.id, "plan": tenant.plan, "tenantSlug": tenant.slug}


def one(growthbook):
    turn, ask = growthbook.set_attributes, growthbook.is_on

    def is_on(key, subject):
        turn(subject)
        return ask(key)

    return is_on


def walk(growthbook, pairs):
    turn, ask = growthbook.set_attributes, growthbook.is_on

    def run():
        for key, subject in pairs:
            turn(subject)
            ask(key)

    return run


def every(growthbook, keys):
    turn, ask = growthbook.set_attributes, growthbook.is_on

    def answers(subject):
        turn(subject)
        return {key: ask(key) for key in keys}

    return answers
