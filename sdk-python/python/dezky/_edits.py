"""Edits as typed dicts, for `World.plan` and `POST /flags/plan`.

Plain dicts and JSON strings are accepted too.
"""

from __future__ import annotations

from typing import Literal, Optional, TypedDict, Union

State = Literal["off", "on", "targeted", "rollout"]


class ScopeChange(TypedDict, total=False):
    """The axes of a scope. In a patch, an absent axis stays unchanged and `None` empties it."""

    plans: Optional[list[str]]
    tenantSlugs: Optional[list[str]]
    partnerSlugs: Optional[list[str]]
    environments: Optional[list[str]]


class FlagPatch(TypedDict, total=False):
    """A patch of a flag, as for `PATCH /flags/{key}`.

    Absent members stay unchanged, and `None` resets a member to its default.
    """

    state: State
    pct: Optional[float]
    scope: Optional[ScopeChange]
    description: Optional[str]
    planDigest: Optional[str]


class _RequiredFlagFields(TypedDict):
    key: str
    state: State


class FlagToPut(_RequiredFlagFields, total=False):
    """A whole flag. Absent members are 0 or empty."""

    pct: Optional[float]
    scope: Optional[ScopeChange]


class PutFlag(TypedDict):
    """Creates a flag or replaces the flag with this key."""

    kind: Literal["putFlag"]
    flag: FlagToPut


class PatchFlag(TypedDict):
    """Changes a flag partially, like `PATCH /flags/{key}`."""

    kind: Literal["patchFlag"]
    key: str
    patch: FlagPatch


class DeleteFlag(TypedDict):
    """Deletes the flag with this key."""

    kind: Literal["deleteFlag"]
    key: str


class _RequiredMoveFields(TypedDict):
    kind: Literal["moveTenant"]
    tenantId: str


class MoveTenant(_RequiredMoveFields, total=False):
    """Moves a tenant to another plan, another partner, or both.

    With `None` as the partner, the tenant leaves its partner.
    """

    plan: Optional[str]
    partnerSlug: Optional[str]


class Edit(TypedDict):
    """Changes that are planned together, in this order."""

    edits: list[Union[PutFlag, PatchFlag, DeleteFlag, MoveTenant]]
