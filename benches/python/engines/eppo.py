"""The engine eppo-server-sdk, with a Rust core: no polling, no logging (`doLog` is false)."""

import eppo_client
from workload import compact, ENVIRONMENT, PERCENT

SHARDS = 10_000


def document(workload):
    flags = {flag.key: _flag(flag) for flag in workload.flags}
    return compact(
        {
            "createdAt": "2026-01-01T00:00:00.000Z",
            "format": "SERVER",
            "environment": {"name": ENVIRONMENT},
            "flags": flags,
        }
    )


def _flag(flag):
    scope = [("plan", flag.plans), ("tenantSlug", flag.slugs)]
    conditions = [{"attribute": name, "operator": "ONE_OF", "value": values} for name, values in scope if values]
    shards = [{"salt": flag.key, "ranges": [{"start": 0, "end": SHARDS * PERCENT // 100}]}]
    split = {"variationKey": "on", "shards": shards if flag.state == "rollout" else []}
    rules = [{"conditions": conditions}] if conditions else []
    return {
        "key": flag.key,
        "enabled": flag.state != "off",
        "variationType": "BOOLEAN",
        "variations": {"on": {"key": "on", "value": True}},
        "totalShards": SHARDS,
        "allocations": [{"key": "scope", "rules": rules, "splits": [split], "doLog": False}],
    }


def load(document):
    configuration = eppo_client.Configuration(flags_configuration=document.encode())
    return eppo_client.init(
        eppo_client.ClientConfig(
            api_key="none",
            assignment_logger=eppo_client.AssignmentLogger(),
            poll_interval_seconds=None,
            initial_configuration=configuration,
        )
    )


def subject(tenant):
    return tenant.id, {"plan": tenant.plan, "tenantSlug": tenant.slug}


def one(client):
    ask = client.get_boolean_assignment
    return lambda key, subject: ask(key, subject[0], subject[1], False)


def walk(client, pairs):
    ask = client.get_boolean_assignment

    def run():
        for key, (subject_key, attributes) in pairs:
            ask(key, subject_key, attributes, False)

    return run


def every(client, keys):
    ask = client.get_boolean_assignment

    def answers(subject):
        subject_key, attributes = subject
        return {key: ask(key, subject_key, attributes, False) for key in keys}

    return answers
