"""Validation of snapshots and documents of the model.

A valid document is returned in its normal form, with all defaults. An invalid document returns
every problem.
"""

from __future__ import annotations

import json
from typing import Any, TypedDict, Union, final

from dezky import _native
from dezky._errors import DezkyError, Problem
from dezky._arguments import Document

__all__ = ["change", "flag", "partner", "snapshot", "subscription", "tenant", "user"]


@final
class Valid(TypedDict):
    """A valid document, in its normal form."""

    ok: dict[str, Any]


@final
class Invalid(TypedDict):
    """The problems of an invalid document."""

    errors: list[Problem]


Validation = Union[Valid, Invalid]


def tenant(document: Document) -> Validation:
    """Validates a tenant document."""
    return _validate("tenant", document)


def partner(document: Document) -> Validation:
    """Validates a partner document."""
    return _validate("partner", document)


def user(document: Document) -> Validation:
    """Validates a user document."""
    return _validate("user", document)


def subscription(document: Document) -> Validation:
    """Validates a subscription document."""
    return _validate("subscription", document)


def flag(document: Document) -> Validation:
    """Validates a flag as the server stores it, with its history."""
    return _validate("flag", document)


def change(document: Document) -> Validation:
    """Validates an entry of the change log."""
    return _validate("change", document)


def snapshot(document: Document) -> Validation:
    """Validates a snapshot. Its normal form is canonical: sorted, with every member present."""
    return _validate("snapshot", document)


def _validate(kind: str, document: Document) -> Validation:
    try:
        return {"ok": json.loads(_native.normalize(kind, document))}
    except DezkyError as error:
        return {"errors": error.errors}
