"""Types of the arguments of this package."""

from __future__ import annotations

from typing import Any, Union

from dezky._native import Subject

Document = Union[str, bytes, bytearray, dict[str, Any]]
"""JSON as a string or UTF-8 bytes, or plain values.

Plain values are dict, list, tuple, str, int, float, bool and None.
"""

AnySubject = Union[Subject, Document]

Subjects = Union[str, bytes, bytearray, list[AnySubject], tuple[AnySubject, ...]]
