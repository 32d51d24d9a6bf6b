"""The exception of this package."""

from __future__ import annotations

from typing import TypedDict


class Problem(TypedDict):
    """One problem: a stable code, a JSON Pointer to its location, and a message."""

    code: str
    path: str
    message: str


class DezkyError(ValueError):
    """A malformed argument, or a client that cannot start or cannot resolve a subject.

    `code`, `path` and `message` are those of the first problem. `errors` lists all problems, at
    most 100.
    """

    code: str
    path: str
    message: str
    errors: list[Problem]

    def __init__(self, errors: list[Problem]) -> None:
        super().__init__(errors)
        self.errors = errors
        self.code = errors[0]["code"]
        self.path = errors[0]["path"]
        self.message = errors[0]["message"]

    def __str__(self) -> str:
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        return f'{self.code} at "{self.path}": {self.message}{more}'
