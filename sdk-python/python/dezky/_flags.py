"""The answers of all flags for one tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dezky import _native

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Key = TypeVar("Key", bound=str, default=str)
else:
    from typing import TypeVar

    Key = TypeVar("Key")


class Flags(_native.Flags[Key], Mapping[Key, bool]):
    """An immutable mapping from the key of every flag to its answer.

    Created by `Ruleset.for_tenant`.
    """

    __slots__ = ()

    # This method is in Python, because calling a native method costs more than calling a Python
    # method, and a subscript of a native object costs almost nothing.
    def is_enabled(self, key: Key) -> bool:
        """Returns whether a flag is on. An unknown flag is off."""
        try:
            return self[key]
        except KeyError:
            return False
