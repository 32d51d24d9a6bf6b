"""Rules that follow the server, in the background."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING, Any, Literal, Optional

from dezky import _native

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self, TypeVar

    from dezky._arguments import Document
    from dezky._events import ClientEvent, EventName

    Key = TypeVar("Key", bound=str, default=str)
else:
    from typing import TypeVar

    Key = TypeVar("Key")

_PATIENCE_AT_EXIT = 2.0


class Client(_native.Client[Key]):
    """Made by `connect`. Reading never waits; a thread of its own follows the server until `close`."""

    def on(self, event: EventName, handler: Callable[[ClientEvent], object]) -> Callable[[], None]:
        """Calls a handler with each event of a name, on the client's thread; what is returned takes it off again."""
        number = self._on(event, handler)
        return lambda: self._off(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


_open: weakref.WeakSet[Client[Any]] = weakref.WeakSet()


def connect(
    url: str,
    *,
    key: str | Callable[[], str],
    tenant: str | None = None,
    snapshot: Document | None = None,
    file: str | os.PathLike[str] | None = None,
    deadline: float = 5.0,
    past_deadline: Literal["fail", "file", "off"] | None = None,
    stale_after: float = 60.0,
    max_backoff: float = 30.0,
    instance: str | None = None,
    allow_http: bool = False,
    on_event: Callable[[ClientEvent], object] | None = None,
) -> Client[Key]:
    """Connects to a server, and returns as soon as there are rules, at the latest at the deadline. Durations are seconds."""
    client: Client[Key] = Client(
        url,
        key=key,
        tenant=tenant,
        snapshot=snapshot,
        file=file,
        deadline=deadline,
        past_deadline=past_deadline,
        stale_after=stale_after,
        max_backoff=max_backoff,
        instance=instance,
        allow_http=allow_http,
        on_event=on_event,
    )
    _open.add(client)
    return client


def _pause() -> None:
    # Threads do not come along into a child, and a socket in two processes serves neither.
    for client in list(_open):
        client._pause()


def _resume() -> None:
    for client in list(_open):
        client._resume()


def _end() -> None:
    # An interpreter that is gone can call no handler.
    for client in list(_open):
        client._close_within(_PATIENCE_AT_EXIT)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_parent=_resume, after_in_child=_resume)
atexit.register(_end)
