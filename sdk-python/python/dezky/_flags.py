"""Every flag's answer for one tenant."""

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
    """Made by `Ruleset.for_tenant`. A mapping of every flag's key to its answer that never changes."""

    __slots__ = ()

    # In Python, because a call from Python to Python costs less than one into a native method, and a subscript into
    # native code next to nothing.
    def is_enabled(self, key: Key) -> bool:
        """Whether a flag is on. A flag that does not exist is off."""
        try:
            return self[key]
        except KeyError:
            return False
