"""Answers, as named tuples. Percentages and positions are numbers from 0 to 100 with at most two decimals."""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

Axis = Literal["plans", "tenantSlugs", "partnerSlugs", "environments"]

Reason = Literal[
    "off",
    "on",
    "empty_scope",
    "out_of_scope",
    "targeted",
    "in_rollout",
    "out_of_rollout",
    "unknown_flag",
]

AccessReason = Literal[
    "allowed_operator",
    "allowed_platform_admin",
    "allowed_member",
    "allowed_tenant_admin",
    "allowed_self",
    "allowed_key",
    "denied_no_user",
    "denied_inactive_user",
    "denied_operator_audience",
    "denied_not_platform_admin",
    "denied_not_member",
    "denied_role",
    "denied_field",
    "denied_tenant_suspended",
    "denied_tenant_terminated",
    "denied_last_admin",
    "denied_key_scope",
]


class Explanation(NamedTuple):
    """Why a flag is on or off for a tenant."""

    key: str
    enabled: bool
    reason: Reason
    axis: Optional[Axis] = None
    """The first axis that leaves the tenant out."""
    position: Optional[float] = None
    """Where the tenant stands in the rollout."""
    pct: Optional[float] = None
    """The rollout's percentage."""


class Decision(NamedTuple):
    """Whether somebody may do something, and why. It is true where they may."""

    allowed: bool
    reason: AccessReason

    def __bool__(self) -> bool:
        return self.allowed


class PlanPair(NamedTuple):
    """A flag that turns on or off for a tenant."""

    key: str
    tenant_id: str


class PlanTotal(NamedTuple):
    """How many pairs turn on and off for the tenants of a plan."""

    plan: str
    gained: int
    lost: int


class PartnerTotal(NamedTuple):
    """How many pairs turn on and off for the tenants of a partner; `None` stands for those without one."""

    partner_slug: Optional[str]
    gained: int
    lost: int


class PlanWarning(NamedTuple):
    """What an edit says that is seldom meant: a scope without effect, or a name that nobody has."""

    code: Literal["targets_nobody", "scope_ignored", "unknown_name"]
    path: str
    """A JSON Pointer into the edit; values on an axis are counted in their sorted order."""
    name: Optional[str] = None
    """The plan, tenant or partner that nobody has."""
    nearest: Optional[str] = None
    """The nearest name that somebody has, if any is near."""


class Plan(NamedTuple):
    """What an edit turns on and off, and for whom."""

    base_revision: int
    digest: str
    gained: tuple[PlanPair, ...]
    lost: tuple[PlanPair, ...]
    by_plan: tuple[PlanTotal, ...]
    by_partner: tuple[PartnerTotal, ...]
    warnings: tuple[PlanWarning, ...] = ()
    """20 at most. The digest does not depend on them."""


class LadderStep(NamedTuple):
    """A tenant's place on a ladder: where it stands, and the smallest percentage that includes it."""

    tenant_id: str
    position: float
    pct: float


class Ladder(NamedTuple):
    """The tenants in a flag's scope, in the order in which a rising percentage includes them."""

    key: str
    steps: tuple[LadderStep, ...]


class Counts(NamedTuple):
    """How many tenants have a flag on, are in its scope, and are registered at all."""

    on: int
    in_scope: int
    registered: int
