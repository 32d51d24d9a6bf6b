"""What the functions of this package take."""

from __future__ import annotations

from typing import Any, Union

from dezky._native import Subject

Document = Union[str, bytes, bytearray, dict[str, Any]]
"""JSON as text or UTF-8 bytes, or the same as plain values: dict, list, tuple, str, int, float, bool and None."""

AnySubject = Union[Subject, Document]

Subjects = Union[str, bytes, bytearray, list[AnySubject], tuple[AnySubject, ...]]
