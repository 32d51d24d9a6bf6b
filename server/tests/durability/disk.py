"""The possible content of a disk after a power cut, computed from a trace of writes and syncs."""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "pwrite64,write,ftruncate,fsync,fdatasync"
STRACE = ["strace", "-f", "-qq", "-ttt", "-y", "-xx", "-s", "100000", "-e", f"trace={CALLS}", "-e", "signal=none"]
SECTOR = 512

LINE = re.compile(rb"^(\d+) +(\d+\.\d+) (.*)$")
CALL = re.compile(rb"^(\w+)\((\d+)<([^>]*)>(.*)$", re.DOTALL)


def decoded_path(path: bytes) -> str:
    """Decodes a path in the format of strace -xx."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), path).decode()


@dataclass
class File:
    """One file: its synced content, and the writes since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def apply(self, offset: int, data: bytes | None) -> None:
        """Applies a write, or a truncation if there is no data."""
        if data is None:
            del self.durable[offset:]
            self.durable.extend(bytes(offset - len(self.durable)))
            return
        if len(self.durable) < offset:
            self.durable.extend(bytes(offset - len(self.durable)))
        self.durable[offset : offset + len(data)] = data

    def sync(self) -> None:
        """Moves all pending writes to the synced content."""
        for offset, data in self.pending:
            self.apply(offset, data)
        self.pending.clear()

    def after_cut(self, generator: random.Random, keep_probability: float) -> bytes:
        """Returns a possible content after a power cut.

        It holds the synced content and a random part of the pending writes, some of them torn.
        """
        found = File(bytearray(self.durable))
        kept = [operation for operation in self.pending if generator.random() < keep_probability]
        for offset, data in kept:
            if data and generator.random() < 0.2:
                data = data[: generator.randrange(len(data) // SECTOR + 1) * SECTOR]
            found.apply(offset, data)
        return bytes(found.durable)


class Disk:
    """The files of one directory, advanced by a trace."""

    def __init__(self, baseline: Path, directory: Path, trace: Path):
        self.directory = str(directory)
        self.files = {path.name: File(bytearray(path.read_bytes())) for path in baseline.iterdir()}
        self.syncs = 0
        self.lines = self.calls(trace)
        self.ahead = next(self.lines, None)

    def calls(self, trace: Path):
        """Yields the time, name, file and arguments of every call.

        The time of an interrupted call is that of its beginning.
        """
        with open(trace, "rb") as lines:
            for line in lines:
                stamped = LINE.match(line)
                call = CALL.match(stamped[3]) if stamped else None
                if call is None:
                    continue
                path = decoded_path(call[3])
                if path.startswith(self.directory + "/"):
                    yield float(stamped[2]), call[1].decode(), path[len(self.directory) + 1 :], call[4]

    def advance(self, until: float) -> None:
        """Applies all calls up to a time."""
        while self.ahead is not None and self.ahead[0] <= until:
            _, name, file, rest = self.ahead
            self.step(name, self.files.setdefault(file, File()), rest)
            self.ahead = next(self.lines, None)

    def step(self, name: str, file: File, rest: bytes) -> None:
        """Applies one traced call."""
        if name in ("fsync", "fdatasync"):
            file.sync()
            self.syncs += 1
        elif name == "ftruncate":
            file.pending.append((int(re.match(rb", (\w+)", rest)[1], 0), None))
        elif name == "pwrite64":
            match = re.match(rb', "((?:\\x[0-9a-f]{2})*)"(\.*), (\d+), (\w+)', rest)
            data = bytes.fromhex(match[1].replace(b"\\x", b"").decode()) if match else b""
            if match is None or match[2] or len(data) != int(match[3]):
                raise AssertionError("the trace holds only a part of a write")
            file.pending.append((int(match[4], 0), data))
        else:
            raise AssertionError(f"the database was written by an unsupported call: {name}")

    def write_after_cut(self, folder: Path, generator: random.Random, keep_probability: float) -> None:
        """Writes a possible content after a power cut now to a folder.

        The index of the write-ahead log is shared memory and does not survive.
        """
        folder.mkdir(mode=0o700)
        for name, file in self.files.items():
            if not name.endswith("-shm"):
                (folder / name).write_bytes(file.after_cut(generator, keep_probability))
                (folder / name).chmod(0o600)
