"""Tests of rulesets and of the flags of a tenant."""

import json
from collections.abc import Mapping

import pytest
from conftest import ANSWERS, SNAPSHOT, problems

from dezky import Explanation, Ruleset, Subject, changed_keys, rollout_position, validate


def test_all_ways_to_read_a_flag_agree(rules, flags, subject):
    for key, enabled in ANSWERS.items():
        assert flags.is_enabled(key) is enabled
        assert flags.is_enabled(key=key) is enabled
        assert flags[key] is enabled
        assert flags.explain(key).enabled is enabled
        assert rules.is_enabled(key, subject) is enabled
    assert flags.all() == dict(flags) == ANSWERS
    assert list(flags.all()) == list(flags) == sorted(ANSWERS)
    assert flags.enabled_keys() == ["always", "jmap_native_v2", "plan"]
    assert flags.results() == {"revision": 481, "environment": "production", "flags": ANSWERS}
    assert json.loads(json.dumps(flags.results())) == flags.results()


def test_flags_are_a_mapping(flags, rules, subject):
    assert isinstance(flags, Mapping)
    assert len(flags) == len(ANSWERS)
    assert "always" in flags and "never" in flags and "unheard_of" not in flags
    assert flags.get("always") is True and flags.get("unheard_of") is None
    assert flags.items() == ANSWERS.items() and list(flags.values()) == list(ANSWERS.values())
    assert flags == ANSWERS and flags == rules.for_tenant(subject)
    flags.all()["always"] = False
    assert flags["always"] is True


def test_an_unknown_flag_is_off_and_not_an_item(rules, flags, subject):
    for key in ["unheard_of", "", "Always", "é", "a" * 10_000_000]:
        assert flags.is_enabled(key) is False
        assert rules.is_enabled(key, subject) is False
        assert flags.explain(key) == Explanation(key, False, "unknown_flag")
        with pytest.raises(KeyError):
            flags[key]


def test_every_reason_is_explained(flags, rules):
    position = rollout_position("t1", "jmap_native_v2") / 100
    assert position == 4.3
    assert [flags.explain(key) for key in flags] == [
        Explanation("always", True, "on"),
        Explanation("in_part", False, "out_of_rollout", None, rollout_position("t1", "in_part") / 100, 4.31),
        Explanation("jmap_native_v2", True, "in_rollout", None, position, 25),
        Explanation("never", False, "off"),
        Explanation("nobody", False, "empty_scope"),
        Explanation("partners", False, "out_of_scope", "partnerSlugs"),
        Explanation("plan", True, "targeted"),
    ]
    elsewhere = rules.for_tenant(Subject("t1", "acme", "free"))
    assert elsewhere.explain("jmap_native_v2") == Explanation("jmap_native_v2", False, "out_of_scope", "plans")


def test_a_ruleset_has_the_facts_of_its_snapshot(rules):
    assert (rules.revision, rules.environment) == (481, "production")
    assert rules.keys == tuple(ANSWERS)
    assert rules.digest == Ruleset.from_snapshot(validate.snapshot(SNAPSHOT)["ok"]).digest
    assert repr(rules) == "<dezky.Ruleset: 7 flags of production at revision 481>"


def test_a_document_can_be_a_string_bytes_or_values():
    text = json.dumps(SNAPSHOT)
    forms = [text, text.encode(), bytearray(text.encode()), SNAPSHOT, {**SNAPSHOT, "flags": tuple(SNAPSHOT["flags"])}]
    assert len({Ruleset.from_snapshot(form).digest for form in forms}) == 1


def test_a_subject_can_be_a_document(rules, flags):
    document = {
        "tenantId": "t1",
        "tenantSlug": "acme",
        "plan": "business",
        "partnerSlug": "nordic",
        "environment": None,
    }
    for form in [document, json.dumps(document), json.dumps(document).encode()]:
        assert rules.for_tenant(form) == flags
        assert rules.is_enabled("plan", form) is True


def test_fingerprints_depend_on_the_set_of_subjects(rules, subject):
    other = {"tenantId": "t0", "tenantSlug": "umbrella", "plan": "free"}
    documents = [other, {"tenantId": "t1", "tenantSlug": "acme", "plan": "business", "partnerSlug": "nordic"}]
    expected = rules.fingerprint(json.dumps(documents))
    assert expected == rules.fingerprint([subject, other]) == rules.fingerprint((other, subject))
    assert expected == rules.fingerprint([json.dumps(other), subject])
    assert expected != rules.fingerprint([subject]) != rules.fingerprint([])
    assert len(expected) == 64
    assert problems(rules.fingerprint, [subject, {**other, "plan": "X"}, 7, {**other, "tenantId": {1}}]) == [
        ("invalid_plan", "/1/plan"),
        ("wrong_type", "/2"),
        ("wrong_type", "/3/tenantId"),
    ]


def test_changed_keys_are_those_that_differ():
    flags = [{"key": "always", "state": "off"}, {"key": "new", "state": "on"}, *SNAPSHOT["flags"][2:]]
    assert changed_keys(SNAPSHOT, {**SNAPSHOT, "flags": flags}) == ["always", "in_part", "new"]
    assert changed_keys(SNAPSHOT, {**SNAPSHOT, "revision": 482}) == []
    assert problems(changed_keys, SNAPSHOT, {**SNAPSHOT, "format": 2}) == [("unknown_format", "/format")]


def test_positions_are_fixed_hundredths():
    assert rollout_position("t1", "flag-a") == 6334
    assert rollout_position(tenant_id="t1", key="flag-a") == 6334
    assert rollout_position("", "") in range(10_000)
