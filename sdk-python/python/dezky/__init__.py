"""Feature flags, access decisions and population questions, answered by Dezky's Rust core."""

from dezky import validate
from dezky._client import Client, connect
from dezky._edits import Edit, FlagPatch
from dezky._errors import DezkyError, Problem
from dezky._events import ClientEvent
from dezky._flags import Flags
from dezky._native import Ruleset, Subject, World, can, changed_keys, rollout_position
from dezky._results import (
    AccessReason,
    Axis,
    Counts,
    Decision,
    Explanation,
    Ladder,
    LadderStep,
    PartnerTotal,
    Plan,
    PlanPair,
    PlanTotal,
    PlanWarning,
    Reason,
)

__all__ = [
    "AccessReason",
    "Axis",
    "Client",
    "ClientEvent",
    "Counts",
    "Decision",
    "DezkyError",
    "Edit",
    "Explanation",
    "FlagPatch",
    "Flags",
    "Ladder",
    "LadderStep",
    "PartnerTotal",
    "Plan",
    "PlanPair",
    "PlanTotal",
    "PlanWarning",
    "Problem",
    "Reason",
    "Ruleset",
    "Subject",
    "World",
    "can",
    "changed_keys",
    "connect",
    "rollout_position",
    "validate",
]
