#!/usr/bin/env python3
"""Checks the prose of the repository: line lengths, doc comments, and names used in documents.

Usage: prose.py [PATH ...]     checks all tracked files, or only these files and folders

The rules, with the reasons, are in CONTRIBUTING.md under "How we write".
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST_LINE = 100
FEWEST_WORDS = 4

# A sentence with one of these openings hides its subject.
FORBIDDEN_OPENINGS = (
    "What", "Who", "Whom", "Whose", "Whether", "Which", "The same", "Of", "By", "One that",
    "As much", "As many", "As long", "That of", "Those", "Whatever", "Whoever", "It", "They",
)
FORBIDDEN = re.compile(rf"(?:{'|'.join(FORBIDDEN_OPENINGS)})\b(?!-)")

# How each language writes a comment. Doc comments are the ones that tools show to a reader.
SLASHES = {".rs", ".ts", ".mts", ".js", ".mjs", ".jsx", ".vue", ".css"}
HASHES = {".py", ".pyi", ".sh", ".toml", ".yml", ".yaml"}
DASHES = {".sql"}
HASH_NAMES = {"Makefile", "run"}

GENERATED = ("fixtures/vectors/", "package-lock.json", "Cargo.lock", "LICENSE")


def main(arguments):
    problems = []
    for path in tracked_files(arguments):
        text = path.read_text(encoding="utf-8")
        found = check_markdown(path, text) if path.suffix == ".md" else check_source(path, text)
        problems += [f"{path.relative_to(ROOT)}:{line}: {problem}" for line, problem in found]
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"prose: {len(problems)} problems")
    return 1 if problems else 0


def tracked_files(arguments):
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--", *arguments],
        check=True, capture_output=True, text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        kinds = SLASHES | HASHES | DASHES | {".md"}
        is_prose = path.suffix in kinds or path.name in HASH_NAMES
        if is_prose and path.is_file() and not any(part in name for part in GENERATED):
            yield path


def check_source(path, text):
    lines = text.splitlines()
    in_example = False
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*(//[/!]|\*) ?```", line):
            in_example = not in_example
        is_comment = comment_end(path, line) and not in_example
        if len(line) > LONGEST_LINE and is_comment and "://" not in line:
            yield number, f"a comment of {len(line)} columns; {LONGEST_LINE} are allowed"
    for number, comment in doc_comments(path, lines):
        yield from check_doc_comment(number, comment)
    if path.suffix == ".rs" and not text.startswith(("//!", "#![doc")):
        yield 1, "the file does not open with a `//!` sentence"


def comment_end(path, line):
    """Returns a match if the line is a comment or ends in one."""
    if path.suffix in SLASHES:
        return re.match(r"\s*(//|/\*|\*)", line) or re.search(r"\s// ", line)
    if path.suffix in DASHES:
        return re.match(r"\s*--", line)
    return re.match(r"\s*#(?!!\[)", line) or re.search(r"\s# (?!fmt:)", line)


def check_doc_comment(number, comment):
    prose = re.sub(r"```.*?(```|$)|@internal", "", comment, flags=re.DOTALL).strip()
    if not prose:
        return
    words = re.findall(r"[\w`'’:/.{}<>=\[\]-]*\w[\w`'’:/.{}<>=\[\]-]*", prose)
    if len(words) < FEWEST_WORDS and not re.search(r"`[^`]+`|[{}]", prose):
        yield number, f"a doc comment of {len(words)} words: {prose!r}"
    if FORBIDDEN.match(prose):
        yield number, f"a doc comment that opens with a forbidden word: {prose[:60]!r}"


def doc_comments(path, lines):
    """Yields each doc comment as its first line number and its joined text."""
    if path.suffix == ".rs":
        yield from joined(lines, re.compile(r"\s*//[/!] ?(.*)"))
    elif path.suffix in SLASHES:
        yield from blocks(lines, re.compile(r"\s*/\*\*(?!/)"), "*/", r"^\s*(/\*\*|\*/|\*)|\*/")
    elif path.suffix in {".py", ".pyi"}:
        yield from blocks(lines, re.compile(r'\s*r?"""'), '"""', r'r?"""')


def joined(lines, pattern):
    start, texts = 0, []
    for number, line in enumerate([*lines, ""], 1):
        match = pattern.fullmatch(line)
        if match:
            start = start or number
            texts.append(match[1])
        elif texts:
            yield start, "\n".join(texts)
            start, texts = 0, []


def blocks(lines, opening, closing, marks):
    at = 0
    while at < len(lines):
        match = opening.match(lines[at])
        if not match:
            at += 1
            continue
        start = at
        rest = lines[at][match.end():]
        while closing not in rest and at + 1 < len(lines):
            at += 1
            rest = lines[at]
        body = "\n".join(lines[start:at + 1])
        yield start + 1, re.sub(marks, "", body, flags=re.MULTILINE).strip()
        at += 1


def check_markdown(path, text):
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif len(line) > LONGEST_LINE and not in_code and "://" not in line:
            yield number, f"a line of {len(line)} columns; {LONGEST_LINE} are allowed"
        yield from ((number, problem) for problem in check_names(path, line, in_code))


# In a document, `a/b.rs` and [text](a/b.md) name files, and `make x` names a target.
QUOTED = re.compile(r"`([^`]+)`")
LINKED = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
FILE_NAME = re.compile(r"\.?[\w@][\w@.-]*(?:/[\w@.*-]+)*/?")
KNOWN_ENDINGS = (".rs", ".md", ".toml", ".py", ".ts", ".mjs", ".js", ".sh", ".sql", ".json", "/")


def check_names(path, line, in_code):
    for command in [line] if in_code else QUOTED.findall(line):
        for targets in re.findall(r"\bmake ((?:[a-z][a-z-]* ?)+)", command):
            unknown = set(targets.split()) - make_targets()
            yield from (f"`make {name}` is not a target" for name in unknown)
    for package in re.findall(r"cargo \w+ .*?(?:-p|--package) ([\w-]+)", line):
        if package not in cargo_packages():
            yield f"the package {package} does not exist"
    if in_code:
        return
    for name in LINKED.findall(QUOTED.sub("", line)):
        if "://" not in name and not name.startswith("mailto:") and not exists(path, name):
            yield f"the link {name} leads nowhere"
    for name in QUOTED.findall(line):
        is_path = FILE_NAME.fullmatch(name) and name.endswith(KNOWN_ENDINGS) and "/" in name
        if is_path and not is_example(name) and not exists(path, name):
            yield f"the path {name} does not exist"


def is_example(name):
    return name.startswith(("target/", "dist/", "node_modules/", "/"))


def exists(path, name):
    bases = (path.parent, ROOT)
    return any(True for base in bases for _ in base.glob(name.rstrip("/") or "."))


def make_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))


def cargo_packages():
    manifests = ROOT.glob("**/Cargo.toml")
    texts = (m.read_text(encoding="utf-8") for m in manifests if "target" not in m.parts)
    return {name for text in texts for name in re.findall(r'^name = "([\w-]+)"', text, re.MULTILINE)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
