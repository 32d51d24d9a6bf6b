"""Answers as named tuples.

Percentages and positions are numbers from 0 to 100 with at most two decimals.
"""

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
    """The reason why a flag is on or off for a tenant."""

    key: str
    enabled: bool
    reason: Reason
    axis: Optional[Axis] = None
    """The first axis that excludes the tenant."""
    position: Optional[float] = None
    """The position of the tenant in the rollout."""
    pct: Optional[float] = None
    """The percentage of the rollout."""


class Decision(NamedTuple):
    """An access decision with its reason. It is true if the action is allowed."""

    allowed: bool
    reason: AccessReason

    def __bool__(self) -> bool:
        return self.allowed


class PlanPair(NamedTuple):
    """A flag that turns on or off for a tenant."""

    key: str
    tenant_id: str


class PlanTotal(NamedTuple):
    """The number of pairs that turn on and off for the tenants of a subscription plan."""

    plan: str
    gained: int
    lost: int


class PartnerTotal(NamedTuple):
    """The number of pairs that turn on and off for the tenants of a partner.

    The slug is `None` for the tenants without a partner.
    """

    partner_slug: Optional[str]
    gained: int
    lost: int


class PlanWarning(NamedTuple):
    """A probable mistake in an edit: a scope without effect, or an unknown name."""

    code: Literal["targets_nobody", "scope_ignored", "unknown_name"]
    path: str
    """A JSON Pointer into the edit. The values on an axis are numbered in sorted order."""
    name: Optional[str] = None
    """The unknown name of a subscription plan, tenant or partner."""
    nearest: Optional[str] = None
    """The most similar existing name, if one is similar."""


class Plan(NamedTuple):
    """The plan of an edit: the tenants that gain and lose each flag."""

    base_revision: int
    digest: str
    gained: tuple[PlanPair, ...]
    lost: tuple[PlanPair, ...]
    by_plan: tuple[PlanTotal, ...]
    by_partner: tuple[PartnerTotal, ...]
    warnings: tuple[PlanWarning, ...] = ()
    """The warnings, at most 20. The digest does not depend on them."""


class LadderStep(NamedTuple):
    """A tenant on a ladder: its position, and the smallest percentage that includes the tenant."""

    tenant_id: str
    position: float
    pct: float


class Ladder(NamedTuple):
    """The tenants in a flag's scope, in the order in which a rising percentage includes them."""

    key: str
    steps: tuple[LadderStep, ...]


class Counts(NamedTuple):
    """The numbers of tenants that have a flag on, are in its scope, and are registered."""

    on: int
    in_scope: int
    registered: int
