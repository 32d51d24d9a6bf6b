"""Tests of hostile arguments: each raises a DezkyError with its code and path."""

import datetime
import decimal
import json
import math
import time
import types

import pytest
from conftest import SNAPSHOT, problems

from dezky import DezkyError, Ruleset, Subject, World, can, rollout_position, validate


class Liar(str):
    """A string that compares, hashes and prints as another string."""

    def __hash__(self):
        return hash("never")

    def __eq__(self, other):
        return other == "never"

    def __str__(self):
        return "never"


class Impostor:
    """A value that equals a key but is not a string."""

    def __hash__(self):
        return hash("always")

    def __eq__(self, other):
        return True


class RaisingDict(dict):
    def items(self):
        raise RuntimeError("no items for you")


class OddDict(dict):
    def items(self):
        return [("a", 1), "neither name nor value"]


class RaisingList(list):
    def __iter__(self):
        yield 1
        raise RuntimeError("no more")


class EndlessList(list):
    def __iter__(self):
        while True:
            yield "x" * 1000


class LyingInt(int):
    def __repr__(self):
        return '1,"plan":"business"'

    __str__ = __index__ = __repr__


class LyingFloat(float):
    def __repr__(self):
        return "true"


NOT_STRINGS = [
    42,
    True,
    None,
    1.5,
    math.nan,
    10**5000,
    b"always",
    bytearray(b"always"),
    memoryview(b"always"),
    [],
    {},
    Impostor(),
]

NOT_JSON = [
    math.nan,
    math.inf,
    -math.inf,
    {1, 2},
    frozenset(),
    object(),
    len,
    1j,
    decimal.Decimal("1.5"),
    datetime.datetime(2020, 1, 1),
    b"bytes",
    bytearray(b"bytes"),
    memoryview(b"bytes"),
    range(3),
    (item for item in []),
    types.MappingProxyType({}),
    Subject("t1", "acme", "business"),
    {1: 2},
    {"a": 1, None: 2},
]

CHANGE = {
    "revision": 1,
    "at": "2020-01-01T00:00:00Z",
    "action": "tenant.update",
    "entity": {"kind": "tenant", "id": "t1"},
    "previousHash": "0" * 64,
    "hash": "0" * 64,
}


def nested(levels, inner):
    for _ in range(levels):
        inner = [inner]
    return inner


def with_member(value):
    return {"tenantId": "t1", "tenantSlug": "acme", "plan": "business", "anything": value}


@pytest.mark.parametrize("key", NOT_STRINGS, ids=lambda key: type(key).__name__)
def test_a_key_must_be_a_string(rules, flags, subject, key):
    world = World.from_json({"revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": []})
    for call in [
        flags.is_enabled,
        flags.explain,
        flags.__getitem__,
        flags.__contains__,
        flags.get,
        world.ladder,
        world.counts,
    ]:
        assert problems(call, key) == [("wrong_type", "/key")]
    assert problems(rules.is_enabled, key, subject) == [("wrong_type", "/key")]
    assert problems(rollout_position, key, key) == [("wrong_type", "/tenantId"), ("wrong_type", "/key")]


@pytest.mark.parametrize("key", ["\ud800", "always\udfff", Liar("\ud83d")], ids=ascii)
def test_a_key_must_be_valid_unicode(rules, flags, subject, key):
    for call in [flags.is_enabled, flags.explain, flags.__getitem__, flags.__contains__]:
        assert problems(call, key) == [("invalid_utf8", "/key")]
    assert problems(rules.is_enabled, key, subject) == [("invalid_utf8", "/key")]
    assert problems(rollout_position, "t1", key) == [("invalid_utf8", "/key")]


def test_only_the_text_of_a_str_subclass_counts(rules, flags, subject):
    assert (
        flags.is_enabled(Liar("always")) is flags[Liar("always")] is rules.is_enabled(Liar("always"), subject) is True
    )
    assert flags.explain(Liar("always")).key == "always"
    assert flags.is_enabled(Liar("unheard_of")) is False and Liar("unheard_of") not in flags
    assert Subject(Liar("t1"), Liar("acme"), Liar("business"), partner_slug=Liar("nordic")) == subject
    assert Ruleset.from_snapshot(Liar(json.dumps(SNAPSHOT))).revision == 481


@pytest.mark.parametrize("value", NOT_JSON, ids=lambda value: type(value).__name__)
def test_values_that_json_cannot_hold_are_refused_with_their_path(rules, value):
    assert problems(rules.for_tenant, with_member(value)) == [("wrong_type", "/anything")]
    assert problems(rules.for_tenant, with_member([0, {"a/b~c": value}])) == [("wrong_type", "/anything/1/a~1b~0c")]
    assert problems(Ruleset.from_snapshot, {**SNAPSHOT, "flags": [value]}) == [("wrong_type", "/flags/0")]
    assert validate.tenant({"id": value})["errors"][0]["path"] == "/id"
    principal = {"subject": value, "audiences": [value]}
    assert problems(can, principal, value, {"tenantId": value}) == [
        ("wrong_type", "/principal/subject"),
        ("wrong_type", "/principal/audiences/0"),
        ("wrong_type", "/action"),
        ("wrong_type", "/resource/tenantId"),
    ]


@pytest.mark.parametrize(
    "argument", [None, 7, 1.5, True, object(), {1}, memoryview(b"{}")], ids=lambda each: type(each).__name__
)
def test_arguments_that_are_not_documents_are_refused(rules, argument):
    for call in [Ruleset.from_snapshot, rules.for_tenant, rules.fingerprint, World.from_json]:
        assert problems(call, argument) == [("wrong_type", "")]
    assert [(each["code"], each["path"]) for each in validate.flag(argument)["errors"]] == [("wrong_type", "")]


def test_lone_surrogates_are_refused_with_their_path(rules):
    assert problems(rules.for_tenant, with_member("\ud800")) == [("invalid_utf8", "/anything")]
    assert problems(rules.for_tenant, with_member({"\ud800": 1})) == [("invalid_utf8", "/anything")]
    assert problems(rules.for_tenant, '{"plan": "\udfff"}') == [("invalid_utf8", "")]
    assert problems(rules.for_tenant, b'{"plan": "\xed\xa0\x80"}') == [("invalid_utf8", "")]
    assert problems(can, "\ud800", "user.me") == [("invalid_utf8", "/principal")]


def test_values_that_raise_are_unreadable(rules):
    for value in [RaisingDict(a=1), RaisingList(), OddDict()]:
        with pytest.raises(DezkyError) as refusal:
            rules.for_tenant(with_member({"list": [value]}))
        assert (refusal.value.code, refusal.value.path) == ("unreadable", "/anything/list/0")
        assert len(refusal.value.errors) == 1
        assert isinstance(refusal.value.__cause__, (RuntimeError, TypeError, ValueError))
    assert problems(rules.fingerprint, RaisingList()) == [("unreadable", "")]
    assert validate.tenant(RaisingDict())["errors"][0]["code"] == "unreadable"


def test_an_interrupt_is_raised_unchanged(rules):
    class Interrupting(dict):
        def items(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rules.for_tenant(with_member(Interrupting()))


def test_depth_and_size_are_bounded(rules):
    cycle = []
    cycle.append(cycle)
    around = {}
    around["self"] = around
    for value in [cycle, around, nested(40, 1), nested(100_000, 1)]:
        assert problems(rules.for_tenant, with_member(value)) == [("too_deep", "")]
    assert problems(rules.for_tenant, with_member(nested(31, 1))) == [("unknown_field", "/anything")]
    assert Ruleset.from_snapshot({**SNAPSHOT, "anything": nested(31, 1)}).digest == rules.digest
    shared = "x" * 100
    for _ in range(30):
        shared = [shared, shared]
    started = time.monotonic()
    for value in [shared, EndlessList()]:
        assert problems(rules.for_tenant, with_member(value)) == [("document_too_large", "")]
    assert time.monotonic() - started < 30
    assert problems(rules.for_tenant, " " * (32 << 20) + "{}") == [("document_too_large", "")]
    assert problems(rules.for_tenant, with_member("x" * (32 << 20))) == [("document_too_large", "")]


def test_numbers_are_written_by_their_value(rules):
    for number in [2**63, -(2**200), 10**5000, -(10**5000), 0, -0.0, 1e300, 5e-324, LyingInt(7), LyingFloat(0.5)]:
        assert Ruleset.from_snapshot({**SNAPSHOT, "anything": number}).digest == rules.digest
        assert problems(rules.for_tenant, {"tenantId": "t1", "tenantSlug": "acme", "plan": number}) == [("wrong_type", "/plan")]
    with_pct = lambda pct: {**SNAPSHOT, "flags": [{"key": "a", "state": "rollout", "pct": pct}]}
    assert Ruleset.from_snapshot(with_pct(LyingFloat(12.25))).digest == Ruleset.from_snapshot(with_pct(12.25)).digest
    assert Ruleset.from_snapshot(with_pct(LyingInt(12))).digest == Ruleset.from_snapshot(with_pct(12)).digest
    assert problems(Ruleset.from_snapshot, with_pct(10**5000)) == [("invalid_pct", "/flags/0/pct")]
    assert problems(Ruleset.from_snapshot, with_pct(1.125)) == [("pct_precision", "/flags/0/pct")]
    assert problems(Ruleset.from_snapshot, with_pct(True)) == [("wrong_type", "/flags/0/pct")]
    amount = 2**63 - 1
    assert validate.change({**CHANGE, "after": {"amount": amount, "half": 0.5}})["ok"]["after"] == {
        "amount": amount,
        "half": 0.5,
    }


def test_strings_are_written_unchanged(rules):
    text = "".join(map(chr, range(0xD800))) + "\U0001f600"
    assert validate.change({**CHANGE, "after": {text: text}})["ok"]["after"] == {text: text}
    assert problems(rules.for_tenant, {"tenantId": 't1","plan":"business'}) == [
        ("invalid_id", "/tenantId"),
        ("missing", "/tenantSlug"),
        ("missing", "/plan"),
    ]


def test_a_part_of_a_question_must_be_one_json_value():
    key = '{"key": {"kind": "server"}}'
    assert can(key, "snapshot.read", " {} ").allowed
    for principal in [key + ',"anything":1', key + '},{"a":1', key + '},"resource":{}', "", "{", key + key]:
        assert problems(can, principal, "snapshot.read") == [("invalid_json", "/principal")]
        assert problems(can, key, "snapshot.read", principal) == [("invalid_json", "/resource")]
    assert problems(can, '{"key": "\\ud800"}', "snapshot.read") == [("invalid_json", "/principal")]
    assert problems(can, b"\xff", "snapshot.read") == [("invalid_utf8", "/principal")]
    assert problems(can, "[" * 1000 + "]" * 1000, "snapshot.read") == [("too_deep", "/principal")]
    assert problems(can, '{"key": 1, "key": 2}', "snapshot.read") == [("duplicate_member", "/principal/key")]


def test_at_most_a_hundred_problems_are_reported(rules):
    assert len(problems(rules.for_tenant, with_member([object()] * 1000))) == 100
    assert len(problems(rules.fingerprint, [{}] * 1000)) == 100
