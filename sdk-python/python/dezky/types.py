"""Writes the flag keys of a snapshot as a type: `dezky-types snapshot.json > flag_keys.py`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dezky._arguments import Document
from dezky._errors import DezkyError
from dezky._native import Ruleset

_HEAD = '''"""The flags of {environment} at revision {revision}, written by dezky-types.

    rules = Ruleset[FlagKey].from_snapshot(document)
"""

'''


def module(snapshot: Document) -> str:
    """Returns the source of a module that defines `FlagKey`."""
    rules = Ruleset.from_snapshot(snapshot)
    head = _HEAD.format(environment=rules.environment, revision=rules.revision)
    if not rules.keys:
        return head + "from typing import NoReturn\n\nFlagKey = NoReturn\n"
    keys = "".join(f'    "{key}",\n' for key in rules.keys)
    return f"{head}from typing import Literal\n\nFlagKey = Literal[\n{keys}]\n"


def main() -> None:
    """Runs the command `dezky-types`."""
    parser = argparse.ArgumentParser(prog="dezky-types", description=__doc__)
    parser.add_argument("snapshot", help="a file that holds a snapshot document")
    path = Path(parser.parse_args().snapshot)
    try:
        text = module(path.read_bytes())
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")
    except DezkyError as error:
        lines = (f'{path}: {each["code"]} at "{each["path"]}": {each["message"]}' for each in error.errors)
        sys.exit("\n".join(lines))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
