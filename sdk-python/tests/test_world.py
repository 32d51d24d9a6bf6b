"""Tests of worlds, access decisions and validation."""

import copy
import json
import pickle

import pytest
from conftest import FIXTURES, problems

from dezky import (
    Counts,
    Decision,
    Ladder,
    LadderStep,
    PartnerTotal,
    PlanPair,
    PlanTotal,
    Ruleset,
    World,
    can,
    validate,
)

WORLD = {
    "revision": 7,
    "environment": "production",
    "partners": [{"id": "p1", "slug": "nordic"}],
    "tenants": [
        {"id": "t1", "slug": "acme", "plan": "business", "partnerId": "p1"},
        {"id": "t2", "slug": "umbrella", "plan": "free"},
        {"id": "t3", "slug": "gone", "plan": "free", "status": "terminated"},
    ],
    "flags": [{"key": "flag-a", "state": "rollout", "pct": 64, "scope": {"plans": ["business"]}}],
}

TO_FREE = {"edits": [{"kind": "putFlag", "flag": {"key": "flag-a", "state": "targeted", "scope": {"plans": ["free"]}}}]}


def test_a_patch_and_the_resulting_flag_have_the_same_plan():
    world = World.from_json(WORLD)
    scope = {"plans": ["free"]}
    plan = world.plan({"edits": [{"kind": "patchFlag", "key": "flag-a", "patch": {"state": "targeted", "scope": scope}}]})
    put = {"key": "flag-a", "state": "targeted", "pct": 64, "scope": scope}
    assert plan == world.plan({"edits": [{"kind": "putFlag", "flag": put}]})
    assert plan.gained == (PlanPair("flag-a", "t2"),)


def test_unknown_members_are_refused_in_subjects_edits_and_validation():
    world = World.from_json(WORLD)
    flag = {"key": "a", "state": "on", "scop": {}}
    assert problems(world.plan, {"edits": [{"kind": "putFlag", "flag": flag}]}) == [
        ("unknown_field", "/edits/0/flag/scop")
    ]
    moved = {"kind": "moveTenant", "tenantId": "t1", "plan": "free", "partner": "nordic"}
    assert problems(world.plan, {"edits": [moved]}) == [("unknown_field", "/edits/0/partner")]
    assert validate.flag(flag)["errors"][0]["message"].endswith("did you mean `scope`?")
    tenant = {"id": "t1", "slug": "acme", "name": "Acme", "plan": "free", "billing": {}}
    assert [(each["code"], each["path"]) for each in validate.tenant(tenant)["errors"]] == [("unknown_field", "/billing")]
    snapshot = {"format": 1, "revision": 7, "environment": "production", "flags": [flag]}
    assert [each["path"] for each in validate.snapshot(snapshot)["errors"]] == ["/flags/0/scop"]
    # Unknown members are ignored in documents that a newer server may have written.
    assert Ruleset.from_snapshot(snapshot).keys == ("a",)
    assert World.from_json({**WORLD, "note": 1}).fingerprint() == world.fingerprint()


@pytest.mark.parametrize(
    "form", [WORLD, json.dumps(WORLD), json.dumps(WORLD).encode()], ids=["values", "text", "bytes"]
)
def test_a_world_returns_plans_ladders_and_counts(form):
    world = World.from_json(form)
    assert (world.revision, world.environment, world.registered) == (7, "production", 2)
    assert world.ladder("flag-a") == Ladder("flag-a", (LadderStep("t1", 63.34, 63.35),))
    assert world.counts(key="flag-a") == Counts(on=1, in_scope=1, registered=2)
    plan = world.plan(TO_FREE)
    assert plan.base_revision == 7 and len(plan.digest) == 64
    assert plan.gained == (PlanPair("flag-a", "t2"),) and plan.lost == (PlanPair("flag-a", "t1"),)
    assert plan.by_plan == (PlanTotal("business", 0, 1), PlanTotal("free", 1, 0))
    assert plan.by_partner == (PartnerTotal(None, 1, 0), PartnerTotal("nordic", 0, 1))
    assert plan == world.plan(json.dumps(TO_FREE))
    subjects = [
        {"tenantId": "t1", "tenantSlug": "acme", "plan": "business", "partnerSlug": "nordic"},
        {"tenantId": "t2", "tenantSlug": "umbrella", "plan": "free"},
    ]
    rules = Ruleset.from_snapshot({"format": 1, "revision": 7, "environment": "production", "flags": WORLD["flags"]})
    assert world.fingerprint() == rules.fingerprint(subjects)
    assert repr(world) == "<dezky.World: 2 tenants in production at revision 7>"


def test_bad_edits_and_worlds_are_refused():
    world = World.from_json(WORLD)
    assert problems(world.ladder, "unheard_of") == [("unknown_flag", "/key")]
    assert problems(world.plan, {"edits": []}) == [("empty_edit", "/edits")]
    assert problems(world.plan, {"edits": [{"kind": "deleteFlag", "key": "b"}]}) == [("unknown_flag", "/edits/0/key")]
    assert problems(World.from_json, {**WORLD, "partners": []}) == [("unknown_partner", "/tenants/0/partnerId")]


def test_results_can_be_pickled_and_compiled_objects_cannot():
    world = World.from_json(WORLD)
    rules = Ruleset.from_snapshot({"format": 1, "revision": 1, "environment": "production", "flags": []})
    for result in [
        world.plan(TO_FREE),
        world.ladder("flag-a"),
        world.counts("flag-a"),
        can({"key": {"kind": "server"}}, "key.list"),
    ]:
        assert pickle.loads(pickle.dumps(result)) == copy.deepcopy(result) == result
    for compiled in [world, rules, rules.for_tenant({"tenantId": "t1", "tenantSlug": "a", "plan": "b"})]:
        with pytest.raises(TypeError):
            pickle.dumps(compiled)
        with pytest.raises(AttributeError):
            compiled.anything = 1


def test_access_is_decided_with_a_reason():
    record = {"id": "u1", "active": True, "platformAdmin": False, "role": "owner", "tenantIds": ["t1"]}
    owner = {"subject": "auth|7", "audiences": ["dezky-portal"], "user": record}
    allowed = can(owner, "tenant.update", {"tenantId": "t1", "fields": ["name"]})
    denied = can(principal=json.dumps(owner), action="tenant.suspend", resource=json.dumps({"tenantId": "t1"}))
    assert allowed == Decision(True, "allowed_tenant_admin") and allowed and allowed.allowed
    assert denied == Decision(False, "denied_operator_audience") and not denied and not denied.allowed
    assert can(owner, "user.me") == can(owner, "user.me", None) == can(owner, "user.me", {})
    assert problems(can, owner, "tenant.read") == [("missing", "/resource/tenantId")]
    assert problems(can, {}, "tenant.fly", 7) == [
        ("missing", "/principal/subject"),
        ("missing", "/principal/audiences"),
        ("unknown_action", "/action"),
        ("wrong_type", "/resource"),
    ]


def test_documents_are_validated():
    tenant = {"id": "t1", "slug": "acme", "name": "Acme", "plan": "business"}
    normal = validate.tenant(tenant)["ok"]
    assert normal["status"] == "active" and normal["version"] == 1
    assert validate.tenant(normal) == {"ok": normal}
    assert validate.tenant({**tenant, "slug": "Acme"})["errors"][0] == {
        "code": "invalid_slug",
        "path": "/slug",
        "message": "a slug is 1 to 63 of a-z, 0-9 and -, a letter or digit first and last",
    }
    for kind in ["partner", "user", "subscription", "flag", "change", "snapshot"]:
        assert {each["code"] for each in getattr(validate, kind)({})["errors"]} == {"missing"}


def test_the_typed_reasons_are_those_of_the_conformance_cases():
    import typing

    from dezky import AccessReason, Axis, Reason

    def found(operation, name):
        cases = [case for file in (FIXTURES / "cases").glob("*.json") for case in json.loads(file.read_text())["cases"]]
        values = [case["expect"].get("value") for case in cases if case["operation"] == operation]
        explanations = (
            values if operation == "decide" else [each for value in values for one in value or [] for each in one]
        )
        return {each[name] for each in explanations if each and name in each}

    assert found("explain", "reason") == set(typing.get_args(Reason))
    assert found("explain", "axis") == set(typing.get_args(Axis))
    assert found("decide", "reason") == set(typing.get_args(AccessReason))
