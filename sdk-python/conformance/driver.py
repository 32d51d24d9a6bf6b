"""The conformance driver of the installed package: one request and one outcome per line."""

import importlib.metadata
import json
import re
import sys

import dezky
from dezky import Ruleset, World, _native, can, rollout_position, validate

# Numbers stay strings, because only the extent of each value matters here.
DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
SPACE = re.compile(r"[ \t\n\r]*")


def spans(text):
    """Returns the members of an object or the items of a list as their source text."""
    found, at = [], SPACE.match(text, 1).end()
    while text[at] not in "]}":
        name = None
        if text[0] == "{":
            name, at = DECODER.raw_decode(text, at)
            at = SPACE.match(text, SPACE.match(text, at).end() + 1).end()
        start, (_, at) = at, DECODER.raw_decode(text, at)
        found.append((name, text[start:at]))
        at = SPACE.match(text, at).end()
        if text[at] == ",":
            at = SPACE.match(text, at + 1).end()
    return found


def source(text):
    """Returns the exact text or bytes of a document."""
    special = dict(spans(text)) if text[0] == "{" else {}
    if "$text" in special:
        return json.loads(special["$text"])
    if "$hex" in special:
        return bytes.fromhex(json.loads(special["$hex"]))
    if "$repeat" in special:
        unit, times = json.loads(special["$repeat"])
        return unit * times
    return text


def wire(value):
    """Converts a result to its form on the wire."""
    if isinstance(value, (dezky.Explanation, dezky.PlanWarning)):
        return {name: part for name, part in value._asdict().items() if part is not None}
    if hasattr(value, "_asdict"):
        return {
            re.sub("_(.)", lambda letter: letter[1].upper(), name): wire(part) for name, part in value._asdict().items()
        }
    return [wire(item) for item in value] if isinstance(value, tuple) else value


def evaluated_tenants(member):
    rules = Ruleset.from_snapshot(source(member["snapshot"]))
    return rules, [rules.for_tenant(subject) for _, subject in spans(member["subjects"])]


def explain(member):
    rules, resolved = evaluated_tenants(member)
    keys = json.loads(member.get("keys", "null"))
    return [[wire(flags.explain(key)) for key in (rules.keys if keys is None else keys)] for flags in resolved]


def fingerprint(member):
    # Each subject is evaluated first, so that the path of a problem begins at its subject.
    rules, _ = evaluated_tenants(member)
    return rules.fingerprint(member["subjects"])


def canonical_of(document):
    """Returns the canonical form of a snapshot without its unknown members.

    `from_snapshot` ignores unknown members, and `validate` refuses them.
    """
    outcome = validate.snapshot(document)
    if "ok" in outcome:
        return outcome["ok"]
    plain = json.loads(document)
    for error in outcome["errors"]:
        if error["code"] != "unknown_field":
            raise dezky.DezkyError([error])
        *names, last = (name.replace("~1", "/").replace("~0", "~") for name in error["path"].split("/")[1:])
        inner = plain
        for name in names:
            inner = inner[int(name) if isinstance(inner, list) else name]
        del inner[last]
    return canonical_of(json.dumps(plain))


def snapshot(member):
    document = source(member["snapshot"])
    rules = Ruleset.from_snapshot(document)
    canonical = json.dumps(canonical_of(document), separators=(",", ":"), ensure_ascii=False)
    return {
        "canonical": canonical,
        "digest": rules.digest,
        "revision": rules.revision,
        "environment": rules.environment,
        "keys": rules.keys,
    }


def model(member):
    outcome = getattr(validate, json.loads(member["kind"]))(source(member["document"]))
    if "errors" in outcome:
        raise dezky.DezkyError(outcome["errors"])
    return outcome["ok"]


def decide(text):
    member = dict(spans(text)) if text[0] == "{" else {}
    if "action" in member:
        return can(member.get("principal", "null"), json.loads(member["action"]), member.get("resource", "null"))
    # A question without an action cannot be passed to `can`, so the whole document is decided.
    return _native.decide(source(text))


def world(member):
    return World.from_json(source(member["world"]))


OPERATIONS = {
    "hello": lambda _: {"runtime": "python", "version": importlib.metadata.version("dezky")},
    "position": lambda member: rollout_position(json.loads(member["tenantId"]), json.loads(member["key"])),
    "snapshot": snapshot,
    "explain": explain,
    "evaluate": lambda member: ["".join("01"[on] for on in flags.all().values()) for flags in evaluated_tenants(member)[1]],
    "fingerprint": fingerprint,
    "plan": lambda member: world(member).plan(source(member["edit"])),
    "ladder": lambda member: world(member).ladder(json.loads(member["key"])),
    "counts": lambda member: world(member).counts(json.loads(member["key"])),
    "model": model,
}


def main():
    for line in sys.stdin.buffer:
        request = dict(spans(line.decode()))
        operation, question = json.loads(request["operation"]), request["input"]
        try:
            value = decide(question) if operation == "decide" else OPERATIONS[operation](dict(spans(question)))
            reply = {"value": wire(value)}
        except dezky.DezkyError as error:
            reply = {"errors": [{"code": each["code"], "path": each["path"]} for each in error.errors]}
        print(json.dumps({"id": int(request["id"]), **reply}), flush=True)


if __name__ == "__main__":
    main()
