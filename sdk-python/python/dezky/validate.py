"""Documents of the model and snapshots: as they are written back with their defaults, or every problem they have."""

from __future__ import annotations

import json
from typing import Any, TypedDict, Union, final

from dezky import _native
from dezky._errors import DezkyError, Problem
from dezky._arguments import Document

__all__ = ["change", "flag", "partner", "snapshot", "subscription", "tenant", "user"]


@final
class Valid(TypedDict):
    """The document in its normal form."""

    ok: dict[str, Any]


@final
class Invalid(TypedDict):
    """What is wrong with the document."""

    errors: list[Problem]


Validation = Union[Valid, Invalid]


def tenant(document: Document) -> Validation:
    """A tenant."""
    return _validate("tenant", document)


def partner(document: Document) -> Validation:
    """A partner."""
    return _validate("partner", document)


def user(document: Document) -> Validation:
    """A user."""
    return _validate("user", document)


def subscription(document: Document) -> Validation:
    """A subscription."""
    return _validate("subscription", document)


def flag(document: Document) -> Validation:
    """A flag as the administration holds it, with its history."""
    return _validate("flag", document)


def change(document: Document) -> Validation:
    """An entry of the change log."""
    return _validate("change", document)


def snapshot(document: Document) -> Validation:
    """A snapshot, in its canonical form: everything sorted, every member written."""
    return _validate("snapshot", document)


def _validate(kind: str, document: Document) -> Validation:
    try:
        return {"ok": json.loads(_native.normalize(kind, document))}
    except DezkyError as error:
        return {"errors": error.errors}
