"""A sample that uses every operation with its types: it passes mypy --strict and runs."""

from typing import Literal, Optional

from dezky import (
    AccessReason,
    Axis,
    Client,
    ClientEvent,
    Counts,
    Decision,
    DezkyError,
    Explanation,
    Flags,
    Ladder,
    LadderStep,
    PartnerTotal,
    Plan,
    PlanPair,
    PlanTotal,
    Problem,
    Reason,
    Ruleset,
    Subject,
    World,
    can,
    changed_keys,
    connect,
    rollout_position,
    validate,
)
from dezky.types import module

FlagKey = Literal["jmap_native_v2", "old_editor"]

SNAPSHOT = """{ "format": 1, "revision": 481, "environment": "production", "flags": [
    { "key": "jmap_native_v2", "state": "rollout", "pct": 25, "scope": { "plans": ["business"] } },
    { "key": "old_editor", "state": "off" }
] }"""


def evaluate() -> None:
    rules = Ruleset[FlagKey].from_snapshot(SNAPSHOT)
    subject = Subject("t1", "acme", "business", partner_slug="nordic", environment="production")
    names: tuple[str, str, str, Optional[str], Optional[str]] = (
        subject.tenant_id,
        subject.tenant_slug,
        subject.plan,
        subject.partner_slug,
        subject.environment,
    )
    assert names[0] == "t1" and hash(subject) == hash(subject)
    flags: Flags[FlagKey] = rules.for_tenant(subject)
    enabled: bool = (
        flags.is_enabled("jmap_native_v2") and flags["jmap_native_v2"] and rules.is_enabled("jmap_native_v2", subject)
    )
    explanation: Explanation = flags.explain("old_editor")
    reason: Reason = explanation.reason
    axis: Optional[Axis] = explanation.axis
    numbers: tuple[Optional[float], Optional[float]] = (explanation.position, explanation.pct)
    every: dict[FlagKey, bool] = flags.all()
    on: list[FlagKey] = flags.enabled_keys()
    keys: tuple[FlagKey, ...] = rules.keys
    key: FlagKey
    for key in flags:
        every[key] = key in flags and flags.get(key, False)
    results = flags.results()
    facts: tuple[int, str, str, str] = (
        rules.revision,
        rules.environment,
        rules.digest,
        rules.fingerprint([subject, {"tenantId": "t2", "tenantSlug": "b", "plan": "free"}]),
    )
    assert enabled and reason == "off" and axis is None and numbers == (None, None)
    assert on == ["jmap_native_v2"] and len(keys) == len(flags) and results["revision"] == facts[0]


def evaluate_with_any_key(key: str) -> bool:
    rules = Ruleset.from_snapshot(SNAPSHOT.encode())
    return rules.for_tenant({"tenantId": "t1", "tenantSlug": "acme", "plan": "business"}).is_enabled(key)


def plan_with_a_world() -> None:
    world = World.from_json(
        {
            "revision": 1,
            "environment": "production",
            "partners": [],
            "tenants": [],
            "flags": [{"key": "a", "state": "on"}],
        }
    )
    plan: Plan = world.plan({"edits": [{"kind": "deleteFlag", "key": "a"}]})
    pairs: tuple[PlanPair, ...] = plan.gained + plan.lost
    by_plan: tuple[PlanTotal, ...] = plan.by_plan
    by_partner: tuple[PartnerTotal, ...] = plan.by_partner
    ladder: Ladder = world.ladder("a")
    steps: tuple[LadderStep, ...] = ladder.steps
    places: list[tuple[str, float, float]] = [(step.tenant_id, step.position, step.pct) for step in steps]
    counts: Counts = world.counts("a")
    facts: tuple[int, str, int, str] = (world.revision, world.environment, world.registered, world.fingerprint())
    assert not (pairs or by_plan or by_partner or places) and counts.on == facts[2] == 0


def decide_and_validate() -> None:
    decision: Decision = can({"key": {"kind": "server"}}, "snapshot.read")
    reason: AccessReason = decision.reason
    outcome = validate.tenant({"id": "t1"})
    if "errors" in outcome:
        problems: list[Problem] = outcome["errors"]
        assert problems[0]["code"] == "missing"
    else:
        raise AssertionError(outcome["ok"]["id"])
    for check in (
        validate.partner,
        validate.user,
        validate.subscription,
        validate.flag,
        validate.change,
        validate.snapshot,
    ):
        assert "errors" in check(b"[]")
    position: int = rollout_position("t1", "flag-a")
    changed: list[str] = changed_keys(SNAPSHOT, SNAPSHOT)
    assert decision and reason == "allowed_key" and position == 6334 and changed == []
    assert "FlagKey = Literal[" in module(SNAPSHOT)
    try:
        Subject("t:1", "Acme", "business")
    except DezkyError as error:
        fields: tuple[str, str, str, list[Problem]] = (error.code, error.path, error.message, error.errors)
        assert fields[0] == "invalid_id" and len(fields[3]) == 2


def follow(subject: Subject) -> None:
    def handle(event: ClientEvent) -> None:
        fields: tuple[str, Optional[int], tuple[str, ...], Optional[float]] = (
            event.name,
            event.revision,
            event.keys,
            event.age,
        )
        problem: tuple[Optional[str], Optional[str], bool] = (event.code, event.message, event.fatal)
        reason: Optional[str] = event.server_code
        assert fields and problem and reason

    untyped = connect("https://flags.example", key="dzk_example", snapshot=SNAPSHOT, on_event=handle)
    assert untyped.is_enabled("whatever", subject)
    client: Client[FlagKey] = connect(
        "https://flags.example",
        key=lambda: "dzk_example",
        tenant="acme",
        file="flags.json",
        deadline=1,
        past_deadline="off",
        stale_after=30,
        max_backoff=10.5,
        instance="portal-7",
        allow_http=True,
    )
    with client as same:
        remove = same.on("change", handle)
        remove()
        rules: Ruleset[FlagKey] = same.ruleset
        acme: Subject = same.subject("acme")
        flags: Flags[FlagKey] = same.for_tenant(acme)
        assert same.is_enabled("old_editor", subject) or flags["old_editor"] or rules.revision
    texts: tuple[str, str] = (client.status, client.instance)
    client.close()
    assert texts


evaluate()
assert callable(follow)
assert evaluate_with_any_key("jmap_native_v2")
plan_with_a_world()
decide_and_validate()
