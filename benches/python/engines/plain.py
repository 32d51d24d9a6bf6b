"""The baseline in plain Python: the snapshot compiled to tuples and sets."""

import json
from hashlib import sha256

from engines import dezky

document = dezky.document


class Rules:
    def __init__(self, document):
        snapshot = json.loads(document)
        self.environment = snapshot["environment"]
        self.fixed, self.scoped = {}, {}
        for flag in sorted(snapshot["flags"], key=lambda flag: flag["key"]):
            scope = [
                frozenset(flag["scope"][axis]) or None
                for axis in ("plans", "tenantSlugs", "partnerSlugs", "environments")
            ]
            is_scoped = any(scope)
            self.fixed[flag["key"]] = flag["state"] == "on"
            if flag["state"] == "rollout" or (flag["state"] == "targeted" and is_scoped):
                hundredths = round(flag["pct"] * 100) if flag["state"] == "rollout" else None
                self.scoped[flag["key"]] = (*scope, hundredths)

    def is_enabled(self, key, tenant):
        rule = self.scoped.get(key)
        if rule is None:
            return self.fixed.get(key, False)
        return self.is_in(key, rule, tenant)

    def is_in(self, key, rule, tenant):
        plans, slugs, partners, environments, hundredths = rule
        if plans is not None and tenant.plan not in plans:
            return False
        if slugs is not None and tenant.slug not in slugs:
            return False
        if partners is not None and tenant.partner not in partners:
            return False
        if environments is not None and self.environment not in environments:
            return False
        if hundredths is None:
            return True
        drawn = int.from_bytes(sha256(f"{tenant.id}:{key}".encode()).digest(), "big")
        return drawn % 100 * 100 + drawn // 100 % 100 < hundredths

    def every(self, tenant):
        answers = self.fixed.copy()
        for key, rule in self.scoped.items():
            answers[key] = self.is_in(key, rule, tenant)
        return answers


class Flags:
    __slots__ = ("answers",)

    def __init__(self, answers):
        self.answers = answers

    def is_enabled(self, key):
        return self.answers.get(key, False)


load = Rules


def subject(tenant):
    return tenant


def one(rules):
    return rules.is_enabled


def walk(rules, pairs):
    ask = one(rules)

    def run():
        for key, subject in pairs:
            ask(key, subject)

    return run


def every(rules, keys):
    return rules.every


def resolve(rules):
    return lambda subject: Flags(rules.every(subject))
