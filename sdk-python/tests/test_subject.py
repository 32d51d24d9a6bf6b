"""Tests of subjects: checked at construction, and plain values afterwards."""

import copy
import pickle

import pytest
from conftest import problems

from dezky import DezkyError, Subject


def test_a_subject_has_its_names(subject):
    assert (subject.tenant_id, subject.tenant_slug, subject.plan) == ("t1", "acme", "business")
    assert (subject.partner_slug, subject.environment) == ("nordic", None)
    assert repr(subject) == "Subject('t1', 'acme', 'business', partner_slug='nordic')"
    assert eval(repr(subject)) == subject
    assert Subject(plan="business", tenant_slug="acme", tenant_id="t1", partner_slug="nordic") == subject


def test_unknown_members_of_a_subject_are_refused(rules):
    wrong = {"tenantId": "t1", "tenantSlug": "acme", "plan": "business", "partner": "nordic"}
    assert problems(rules.for_tenant, wrong) == [("unknown_field", "/partner")]
    assert problems(rules.is_enabled, "always", wrong) == [("unknown_field", "/partner")]
    assert problems(rules.fingerprint, [wrong]) == [("unknown_field", "/0/partner")]
    with pytest.raises(DezkyError, match="did you mean `partnerSlug`"):
        rules.for_tenant(wrong)


def test_subjects_compare_hash_copy_and_pickle_by_value(subject):
    same = Subject("t1", "acme", "business", partner_slug="nordic")
    others = [
        Subject("t1", "acme", "business"),
        Subject("t1", "acme", "business", environment="nordic"),
        Subject("t2", "acme", "business", partner_slug="nordic"),
        Subject("t1", "acme", "free", partner_slug="nordic"),
    ]
    assert same == subject and hash(same) == hash(subject)
    assert len({subject, same, *others}) == 5
    assert subject != "t1" and all(other != subject for other in others)
    with pytest.raises(AttributeError):
        subject.plan = "free"
    for other in [subject, *others]:
        assert pickle.loads(pickle.dumps(other)) == copy.copy(other) == copy.deepcopy(other) == other


def test_every_problem_of_a_subject_is_reported():
    assert problems(Subject, "t:1", "Acme", 7) == [
        ("invalid_id", "/tenantId"),
        ("invalid_slug", "/tenantSlug"),
        ("wrong_type", "/plan"),
    ]
    assert problems(Subject, object(), "\ud800", b"x") == [
        ("wrong_type", "/tenantId"),
        ("invalid_utf8", "/tenantSlug"),
        ("wrong_type", "/plan"),
    ]
    assert problems(Subject, None, "a\nb", "") == [
        ("missing", "/tenantId"),
        ("invalid_slug", "/tenantSlug"),
        ("invalid_plan", "/plan"),
    ]
    with_others = lambda: Subject("t1", "acme", "business", partner_slug="", environment=["x"])
    assert problems(with_others) == [("invalid_slug", "/partnerSlug"), ("wrong_type", "/environment")]
    with pytest.raises(TypeError):
        Subject("t1", "acme", "business", "nordic")


def test_an_error_can_be_pickled():
    with pytest.raises(ValueError) as refusal:
        Subject("t:1", "Acme", "business")
    error = refusal.value
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(error, DezkyError) and (again.errors, again.code, again.path) == (
        error.errors,
        error.code,
        error.path,
    )
    assert str(error) == 'invalid_id at "/tenantId": an id is 1 to 64 of A-Z, a-z, 0-9, _ and - (and 1 more)'
