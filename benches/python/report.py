"""The Markdown report of a run: a list of rows with their figures and verdicts."""

import textwrap
from typing import NamedTuple, Optional

COLUMNS = 100


class Row(NamedTuple):
    what: str
    values: dict
    bar: Optional[float] = None
    ratio: Optional[float] = None
    beats_plain: bool = False
    unit: str = "nanoseconds"

    @property
    def ours(self):
        return self.values["dezky"]

    @property
    def plain_over_ours(self):
        return self.values["plain"] / self.ours if "plain" in self.values else None

    @property
    def fastest_over_ours(self):
        peers = [value for name, value in self.values.items() if name not in ("dezky", "plain")]
        return min(peers) / self.ours if peers else None

    def verdict(self):
        missed = []
        if self.bar is not None and self.ours > self.bar:
            missed.append(f"bar missed by {self.ours / self.bar:.2f}x")
        if self.ratio is not None and self.fastest_over_ours < self.ratio:
            missed.append(f"ratio missed by {self.ratio / self.fastest_over_ours:.2f}x")
        if self.beats_plain and self.plain_over_ours <= 1:
            missed.append("slower than plain Python")
        return "; ".join(missed) or ("context" if self.bar is None else "met")


def report(rows, peers):
    """Formats all rows as a Markdown list. `peers` maps names of engines to packages."""
    return "\n".join(_entry(row, peers) for row in rows)


def _entry(row, peers):
    show = _bytes if row.unit == "bytes" else _time
    bar = "" if row.bar is None else f" (bar ≤ {show(row.bar)})"
    lines = [_item(0, f"**{row.what}**: {row.verdict()}"), _item(1, f"Dezky: {show(row.ours)}{bar}")]
    for name, package in peers.items():
        if name in row.values:
            lines.append(_item(1, f"{package}: {show(row.values[name])}"))
    if "plain" in row.values:
        lines.append(_item(1, f"plain Python: {show(row.values['plain'])}"))
    if row.fastest_over_ours is not None:
        bar = "" if row.ratio is None else f" (bar ≥ {row.ratio:g}x)"
        lines.append(_item(1, f"fastest SDK / Dezky: {row.fastest_over_ours:.1f}x{bar}"))
    if row.plain_over_ours is not None:
        bar = " (bar > 1x)" if row.beats_plain else ""
        lines.append(_item(1, f"plain Python / Dezky: {row.plain_over_ours:.1f}x{bar}"))
    return "\n".join(lines)


def _item(depth, text):
    first, rest = f"{'  ' * depth}- ", "  " * (depth + 1)
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _time(nanoseconds):
    for size, name in [(1e6, "ms"), (1e3, "µs")]:
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {name}"
    return f"{nanoseconds:.3g} ns"


def _bytes(size):
    return f"{size / 2**20:.1f} MiB"
