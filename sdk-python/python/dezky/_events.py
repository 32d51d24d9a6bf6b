"""Events of a client, and the codes of its errors."""

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
    "unknown_tenant",
    "invalid_slug",
    "insecure_url",
]


class ClientEvent(NamedTuple):
    """An event of a client. Fields that do not apply to the event are `None` or empty."""

    name: EventName
    revision: Optional[int] = None
    """For `ready` and `change`: the revision of the rules."""
    keys: tuple[str, ...] = ()
    """For `change`: the sorted keys of the flags that were changed, added or removed."""
    age: Optional[float] = None
    """For `stale`: the seconds since the server last confirmed the rules."""
    code: Optional[ClientCode] = None
    """For `error`: the stable code of the problem."""
    message: Optional[str] = None
    """For `error`: a message for people."""
    fatal: bool = False
    """For `error`: always `False`, because a client retries until it is closed."""
    server_code: Optional[str] = None
    """For `error` with the code `key_refused`: the code in the server's answer, if any."""
