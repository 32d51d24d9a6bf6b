"""The one Markdown table that a run prints, and the verdict on each of its rows."""

from typing import NamedTuple, Optional


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


def table(rows, peers):
    head = [
        "what",
        "ours",
        "bar",
        *peers,
        "plain Python",
        "fastest SDK / ours",
        "its bar",
        "plain / ours",
        "its bar",
        "verdict",
    ]
    lines = [head, ["---"] * len(head), *(_line(row, len(peers)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(row, peers):
    show = _bytes if row.unit == "bytes" else _time
    theirs = [show(value) for name, value in row.values.items() if name not in ("dezky", "plain")]
    return [
        row.what,
        show(row.ours),
        "-" if row.bar is None else f"≤ {show(row.bar)}",
        *(theirs or ["-"] * peers),
        show(row.values["plain"]) if "plain" in row.values else "-",
        _ratio(row.fastest_over_ours),
        "-" if row.ratio is None else f"≥ {row.ratio:g}x",
        _ratio(row.plain_over_ours),
        "> 1x" if row.beats_plain else "-",
        row.verdict(),
    ]


def _ratio(ratio):
    return "-" if ratio is None else f"{ratio:.1f}x"


def _time(nanoseconds):
    for size, name in [(1e6, "ms"), (1e3, "µs")]:
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {name}"
    return f"{nanoseconds:.3g} ns"


def _bytes(size):
    return f"{size / 2**20:.1f} MiB"
