"""An OpenFeature provider that evaluates in process: `pip install "dezky[openfeature]"`.

The targeting key is the id of the tenant. The other names of the subject are the attributes
`tenantSlug`, `plan`, `partnerSlug` and `environment`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Optional

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import (
    ErrorCode,
    FlagNotFoundError,
    InvalidContextError,
    ProviderFatalError,
    TargetingKeyMissingError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from dezky import _native
from dezky._client import Client
from dezky._errors import DezkyError
from dezky._native import Ruleset, changed_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openfeature.flag_evaluation import FlagValueType

    from dezky._arguments import Document
    from dezky._events import ClientEvent
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


class _Loaded(NamedTuple):
    """The compiled rules in use and the text of their snapshot."""

    rules: Ruleset
    snapshot: str

    @classmethod
    def from_document(cls, document: Document) -> _Loaded:
        # The canonical text is kept, because the caller could change a dict later.
        text = _native.normalize("snapshot", document)
        return cls(Ruleset.from_snapshot(text), text)


class DezkyProvider(AbstractProvider):
    """A provider that serves the rules of a live client or of a snapshot document.

    With a client, the provider emits the events of the client. The caller closes the client. With
    a snapshot, `replace` loads another one.
    """

    def __init__(self, source: Document | Client[Any]) -> None:
        super().__init__()
        self._client: Optional[Client[Any]] = None
        self._current: Optional[_Loaded] = None
        self._remove: Optional[Callable[[], None]] = None
        if isinstance(source, Client):
            self._client = source
        else:
            self._current = _Loaded.from_document(source)

    def get_metadata(self) -> Metadata:
        return Metadata("dezky")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        client = self._client
        if client is None:
            return
        if client.status == "closed":
            raise ProviderFatalError("the client is closed")
        handlers = [client.on(name, self._emit) for name in ("ready", "change", "stale", "error")]

        def remove() -> None:
            for each in handlers:
                each()

        self._remove = remove

    def shutdown(self) -> None:
        if self._remove is not None:
            self._remove()
            self._remove = None

    def replace(self, snapshot: Document) -> None:
        """Replaces the snapshot and emits an event with the keys of the changed flags."""
        before = self._current
        if before is None:
            raise TypeError("a provider with a client gets its rules from the server")
        after = _Loaded.from_document(snapshot)
        self._current = after
        if before.rules.environment == after.rules.environment:
            changed = changed_keys(before.snapshot, after.snapshot)
        else:
            # The environment is an axis of the scope, so every flag may have a new answer.
            changed = sorted({*before.rules.keys, *after.rules.keys})
        self.emit_provider_configuration_changed(
            ProviderEventDetails(flags_changed=changed, metadata=_version(after.rules))
        )

    def _rules(self) -> Ruleset:
        if self._client is not None:
            return self._client.ruleset
        assert self._current is not None
        return self._current.rules

    def _emit(self, event: ClientEvent) -> None:
        version = _version(self._rules())
        if event.name == "ready":
            self.emit_provider_ready(ProviderEventDetails(metadata=version))
        elif event.name == "change":
            self.emit_provider_configuration_changed(
                ProviderEventDetails(flags_changed=list(event.keys), metadata=version)
            )
        elif event.name == "stale":
            message = f"the server has not confirmed the rules for {event.age:.0f} seconds"
            self.emit_provider_stale(ProviderEventDetails(message=message, metadata=version))
        elif event.code == "key_refused":
            # The provider keeps answering with the last rules, so this error is not fatal.
            self.emit_provider_error(
                ProviderEventDetails(
                    message=f"{event.code}: {event.message}", error_code=ErrorCode.GENERAL, metadata=version
                )
            )
        # Transient errors are not emitted. If they last, the rules become stale.

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        rules = self._rules()
        context = evaluation_context or EvaluationContext()
        if not context.targeting_key:
            raise TargetingKeyMissingError("the targeting key must be the id of the tenant")
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
            flag_metadata={**_version(rules), "contextId": context.targeting_key, **_explanation_metadata(why)},
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


def _explanation_metadata(why: Explanation) -> dict[str, str | float]:
    found = {"missedAxis": why.axis, "bucket": why.position, "pct": why.pct}
    return {name: value for name, value in found.items() if value is not None}


def _refuse_type() -> NoReturn:
    raise TypeMismatchError("every flag is boolean")
