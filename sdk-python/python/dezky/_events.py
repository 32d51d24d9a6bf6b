"""What a client tells its handlers."""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

EventName = Literal["ready", "change", "stale", "error"]

Status = Literal["connecting", "ready", "stale", "refused", "closed"]

ClientCode = Literal[
    "key_refused",
    "unreachable",
    "rate_limited",
    "unexpected_status",
    "bad_snapshot",
    "digest_mismatch",
    "older_revision",
    "file_unusable",
    "deadline",
    "invalid_option",
    "insecure_url",
]


class ClientEvent(NamedTuple):
    """Something that happened to a client. What an event of its name does not have is `None` or empty."""

    name: EventName
    revision: Optional[int] = None
    """Of `ready` and `change`: that of the rules."""
    keys: tuple[str, ...] = ()
    """Of `change`: the flags whose rule changed, was added or removed, sorted."""
    age: Optional[float] = None
    """Of `stale`: for how many seconds the server has not confirmed the rules."""
    code: Optional[ClientCode] = None
    """Of `error`: what kind of problem it is."""
    message: Optional[str] = None
    """Of `error`: a sentence for people."""
    fatal: bool = False
    """Of `error`: always `False`, because a client goes on asking until it is closed."""
    server_code: Optional[str] = None
    """Of `error` with the code `key_refused`: the code in the server's answer, if it had one."""
