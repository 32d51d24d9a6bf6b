"""The one exception of this package."""

from __future__ import annotations

from typing import TypedDict


class Problem(TypedDict):
    """One thing that is wrong: a stable code, a JSON Pointer to it, and a sentence for people."""

    code: str
    path: str
    message: str


class DezkyError(ValueError):
    """An argument is malformed. Its first problem is at hand; `errors` has them all, 100 at most."""

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
