"""What a disk would hold after a power cut, worked out from a trace of every write and every sync."""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "pwrite64,write,ftruncate,fsync,fdatasync"
STRACE = ["strace", "-f", "-qq", "-ttt", "-y", "-xx", "-s", "100000", "-e", f"trace={CALLS}", "-e", "signal=none"]
SECTOR = 512

LINE = re.compile(rb"^(\d+) +(\d+\.\d+) (.*)$")
CALL = re.compile(rb"^(\w+)\((\d+)<([^>]*)>(.*)$", re.DOTALL)


def plain(path: bytes) -> str:
    """A path as strace -xx writes it."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), path).decode()


@dataclass
class File:
    """One file: what surely is on the disk, and what was written since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def apply(self, offset: int, data: bytes | None) -> None:
        """One write, or without data a truncation."""
        if data is None:
            del self.durable[offset:]
            self.durable.extend(bytes(offset - len(self.durable)))
            return
        if len(self.durable) < offset:
            self.durable.extend(bytes(offset - len(self.durable)))
        self.durable[offset : offset + len(data)] = data

    def sync(self) -> None:
        """All that was written is on the disk."""
        for offset, data in self.pending:
            self.apply(offset, data)
        self.pending.clear()

    def after_cut(self, chance: random.Random, luck: float) -> bytes:
        """What is found after a cut: what was synced, and by luck some of the rest, in no order, some of it torn."""
        found = File(bytearray(self.durable))
        kept = [operation for operation in self.pending if chance.random() < luck]
        for offset, data in kept:
            if data and chance.random() < 0.2:
                data = data[: chance.randrange(len(data) // SECTOR + 1) * SECTOR]
            found.apply(offset, data)
        return bytes(found.durable)


class Disk:
    """The files of one directory, moved along by a trace."""

    def __init__(self, baseline: Path, place: Path, trace: Path):
        self.place = str(place)
        self.files = {path.name: File(bytearray(path.read_bytes())) for path in baseline.iterdir()}
        self.syncs = 0
        self.lines = self.calls(trace)
        self.ahead = next(self.lines, None)

    def calls(self, trace: Path):
        """Every call: when, its name, the file's name, the rest of its line. One that was interrupted counts from where it began."""
        with open(trace, "rb") as lines:
            for line in lines:
                stamped = LINE.match(line)
                call = CALL.match(stamped[3]) if stamped else None
                if call is None:
                    continue
                path = plain(call[3])
                if path.startswith(self.place + "/"):
                    yield float(stamped[2]), call[1].decode(), path[len(self.place) + 1 :], call[4]

    def advance(self, until: float) -> None:
        """Up to a moment."""
        while self.ahead is not None and self.ahead[0] <= until:
            _, name, file, rest = self.ahead
            self.step(name, self.files.setdefault(file, File()), rest)
            self.ahead = next(self.lines, None)

    def step(self, name: str, file: File, rest: bytes) -> None:
        """One call."""
        if name in ("fsync", "fdatasync"):
            file.sync()
            self.syncs += 1
        elif name == "ftruncate":
            file.pending.append((int(re.match(rb", (\w+)", rest)[1], 0), None))
        elif name == "pwrite64":
            match = re.match(rb', "((?:\\x[0-9a-f]{2})*)"(\.*), (\d+), (\w+)', rest)
            data = bytes.fromhex(match[1].replace(b"\\x", b"").decode()) if match else b""
            if match is None or match[2] or len(data) != int(match[3]):
                raise AssertionError("the trace lacks part of a write")
            file.pending.append((int(match[4], 0), data))
        else:
            raise AssertionError(f"the database was written in an unforeseen way: {name}")

    def leave(self, folder: Path, chance: random.Random, luck: float) -> None:
        """Puts what a cut now would leave into a folder. The index of the write-ahead log is memory, and does not survive."""
        folder.mkdir(mode=0o700)
        for name, file in self.files.items():
            if not name.endswith("-shm"):
                (folder / name).write_bytes(file.after_cut(chance, luck))
                (folder / name).chmod(0o600)
