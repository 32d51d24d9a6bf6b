"""An OpenFeature provider that evaluates in process: `pip install "dezky[openfeature]"`.

The targeting key is the tenant's id; the attributes `tenantSlug`, `plan`, `partnerSlug` and `environment` are its other names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import (
    FlagNotFoundError,
    InvalidContextError,
    TargetingKeyMissingError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from dezky import _native
from dezky._errors import DezkyError
from dezky._native import Ruleset, changed_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openfeature.flag_evaluation import FlagValueType

    from dezky._arguments import Document
    from dezky._results import Explanation

__all__ = ["DezkyProvider"]

_NAMES = ("tenantSlug", "plan", "partnerSlug", "environment")

_REASONS = {
    "off": Reason.DISABLED,
    "on": Reason.STATIC,
    "targeted": Reason.TARGETING_MATCH,
    "out_of_scope": Reason.DEFAULT,
    "empty_scope": Reason.DEFAULT,
    "in_rollout": Reason.SPLIT,
    "out_of_rollout": Reason.SPLIT,
}


class _Current(NamedTuple):
    """What is being served: the compiled rules, and the text they came from."""

    rules: Ruleset
    snapshot: str

    @classmethod
    def of(cls, document: Document) -> _Current:
        # The canonical text, because a dict that was given could change behind us.
        text = _native.normalize("snapshot", document)
        return cls(Ruleset.from_snapshot(text), text)


class DezkyProvider(AbstractProvider):
    """Serves the flags of a snapshot document until `replace` brings another."""

    def __init__(self, snapshot: Document) -> None:
        super().__init__()
        self._current = _Current.of(snapshot)

    def get_metadata(self) -> Metadata:
        return Metadata("dezky")

    def replace(self, snapshot: Document) -> None:
        """Serves another snapshot from now on, and tells whoever listens which flags are not the same."""
        before, after = self._current, _Current.of(snapshot)
        self._current = after
        if before.rules.environment == after.rules.environment:
            changed = changed_keys(before.snapshot, after.snapshot)
        else:
            # Who is in an environment's scope changes with the environment, though no rule does.
            changed = sorted({*before.rules.keys, *after.rules.keys})
        self.emit_provider_configuration_changed(
            ProviderEventDetails(flags_changed=changed, metadata=_version(after.rules))
        )

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        rules = self._current.rules
        context = evaluation_context or EvaluationContext()
        if not context.targeting_key:
            raise TargetingKeyMissingError("the targeting key is the tenant's id")
        names = {name: context.attributes[name] for name in _NAMES if name in context.attributes}
        try:
            flags = rules.for_tenant({"tenantId": context.targeting_key, **names})
        except DezkyError as error:
            raise InvalidContextError(str(error)) from error
        why = flags.explain(flag_key)
        if why.reason == "unknown_flag":
            raise FlagNotFoundError(f"revision {rules.revision} has no such flag")
        return FlagResolutionDetails(
            value=why.enabled,
            reason=_REASONS[why.reason],
            variant="on" if why.enabled else "off",
            flag_metadata={**_version(rules), "contextId": context.targeting_key, **_particulars(why)},
        )

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        _refuse_type()

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        _refuse_type()

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        _refuse_type()

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        _refuse_type()


def _version(rules: Ruleset) -> dict[str, bool | str | int | float]:
    return {"version": f"rev-{rules.revision}", "flagSetId": rules.environment}


def _particulars(why: Explanation) -> dict[str, str | float]:
    found = {"missedAxis": why.axis, "bucket": why.position, "pct": why.pct}
    return {name: value for name, value in found.items() if value is not None}


def _refuse_type() -> NoReturn:
    raise TypeMismatchError("every flag is boolean")
