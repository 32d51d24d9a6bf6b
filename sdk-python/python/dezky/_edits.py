"""Edits as typed dicts: what `World.plan` and `POST /flags/plan` take. Plain dicts and JSON text are as good."""

from __future__ import annotations

from typing import Literal, Optional, TypedDict, Union

State = Literal["off", "on", "targeted", "rollout"]


class ScopeChange(TypedDict, total=False):
    """The axes of a scope. In a patch an axis that is absent stays, and `None` empties one."""

    plans: Optional[list[str]]
    tenantSlugs: Optional[list[str]]
    partnerSlugs: Optional[list[str]]
    environments: Optional[list[str]]


class FlagPatch(TypedDict, total=False):
    """What `PATCH /flags/{key}` takes: absent members stay as they are, and `None` resets one to its default."""

    state: State
    pct: Optional[float]
    scope: Optional[ScopeChange]
    description: Optional[str]
    planDigest: Optional[str]


class _FlagNeeds(TypedDict):
    key: str
    state: State


class FlagToPut(_FlagNeeds, total=False):
    """A whole flag; what is absent is 0 or empty."""

    pct: Optional[float]
    scope: Optional[ScopeChange]


class PutFlag(TypedDict):
    """Creates a flag, or replaces the one with its key."""

    kind: Literal["putFlag"]
    flag: FlagToPut


class PatchFlag(TypedDict):
    """Changes some of a flag, as `PATCH /flags/{key}` does."""

    kind: Literal["patchFlag"]
    key: str
    patch: FlagPatch


class DeleteFlag(TypedDict):
    """Deletes a flag."""

    kind: Literal["deleteFlag"]
    key: str


class _MoveNeeds(TypedDict):
    kind: Literal["moveTenant"]
    tenantId: str


class MoveTenant(_MoveNeeds, total=False):
    """Moves a tenant to another plan, another partner, or both; `None` takes it from its partner."""

    plan: Optional[str]
    partnerSlug: Optional[str]


class Edit(TypedDict):
    """What somebody is about to change, in order, as one."""

    edits: list[Union[PutFlag, PatchFlag, DeleteFlag, MoveTenant]]
