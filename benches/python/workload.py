"""The deterministic workload of all engines, equal to that of the Rust benchmarks."""

import json
from typing import NamedTuple, Optional

PLANS = ["starter", "business", "professional", "enterprise"]
PARTNERS = ["nordic", "alpine", "harbor", "meridian", "summit"]
ENVIRONMENT = "production"
PERCENT = 25

AREAS = ["mail", "drive", "calendar", "billing", "console", "search", "sharing", "backup", "login", "audit"]
SUBJECTS = ["export", "preview", "threads", "editor", "import", "digest", "labels", "policy", "limits", "native"]
SLUG_HEADS = [
    "acme",
    "globex",
    "initech",
    "umbra",
    "vertex",
    "lumen",
    "cobalt",
    "aurora",
    "delta",
    "fjord",
    "quartz",
    "ember",
]
SLUG_TAILS = ["labs", "group", "works", "media", "health", "legal", "design", "systems"]

STATES = ["off"] * 3 + ["on"] * 2 + ["targeted"] * 2 + ["rollout"] * 3


class Tenant(NamedTuple):
    id: str
    slug: str
    plan: str
    partner: Optional[str]


class Flag(NamedTuple):
    key: str
    state: str
    plans: list
    slugs: list

    def includes(self, tenant):
        """Evaluates the scope of the flag, written independently of the measured engines."""
        return (not self.plans or tenant.plan in self.plans) and (not self.slugs or tenant.slug in self.slugs)


class Random:
    """A deterministic random generator (splitmix64)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = mixed = (self.state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        return mixed ^ (mixed >> 31)

    def below(self, limit):
        return self.next() % limit

    def distinct_below(self, limit, count):
        chosen = []
        while len(chosen) < min(count, limit):
            candidate = self.below(limit)
            if candidate not in chosen:
                chosen.append(candidate)
        return chosen


def compact(document):
    """Serializes a document as compact JSON, as a server sends it."""
    return json.dumps(document, separators=(",", ":"))


class Workload:
    def __init__(self, flags, tenants):
        random = Random(0xDE2C)
        self.tenants = [_tenant(index, random) for index in range(tenants)]
        self.flags = sorted(_flag(index, self.tenants, random) for index in range(flags))


def _tenant(index, random):
    # Random numbers are drawn in the same order as in the Rust program.
    tenant_id = f"{random.next():016x}{random.next() & 0xFFFFFFFF:08x}"
    head = SLUG_HEADS[random.below(len(SLUG_HEADS))]
    tail = SLUG_TAILS[random.below(len(SLUG_TAILS))]
    partner = PARTNERS[index // 20 % len(PARTNERS)] if index % 20 == 0 else None
    return Tenant(tenant_id, f"{head}-{tail}-{index}", PLANS[index % len(PLANS)], partner)


def _flag(index, tenants, random):
    """Creates a flag. Of ten flags, three are off, two on, two targeted and three a rollout.

    Targeted flags alternate between plans, tenants, and both.
    """
    area = AREAS[random.below(len(AREAS))]
    subject = SUBJECTS[random.below(len(SUBJECTS))]
    state = STATES[index % 10]
    form = (index // 10 * 2 + index % 10 - min(index % 10, 5)) % 3
    plans = [PLANS[plan] for plan in random.distinct_below(len(PLANS), 2)]
    slugs = [tenants[tenant].slug for tenant in random.distinct_below(len(tenants), 20)]
    has_plans = state == "rollout" or (state == "targeted" and form != 1)
    has_slugs = state == "targeted" and form != 0
    return Flag(f"{area}_{subject}_{index}", state, plans if has_plans else [], slugs if has_slugs else [])
