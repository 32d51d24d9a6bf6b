"""The live client: rules that follow the server in the background."""

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

_CLOSE_SECONDS_AT_EXIT = 2.0


class Client(_native.Client[Key]):
    """A live client, created by `connect`.

    Reads never block. A background thread follows the server until `close`.
    """

    def on(self, event: EventName, handler: Callable[[ClientEvent], object]) -> Callable[[], None]:
        """Adds a handler for the events of one name and returns a function that removes it.

        The handler runs on the background thread of the client.
        """
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
    """Connects to a server and returns as soon as rules are loaded, at the latest at the deadline.

    All durations are in seconds.
    """
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
    # A forked child has no threads of its parent, and two processes must not share a socket.
    for client in list(_open):
        client._pause()


def _resume() -> None:
    for client in list(_open):
        client._resume()


def _end() -> None:
    # After the interpreter has ended, no handler can run.
    for client in list(_open):
        client._close_within(_CLOSE_SECONDS_AT_EXIT)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_parent=_resume, after_in_child=_resume)
atexit.register(_end)
