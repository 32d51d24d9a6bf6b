"""The driver of the Python package: `python python.py OPTIONS`.

It answers questions, one line of JSON each.
"""

import gc
import json
import sys
import threading
import time

from dezky import DezkyError, connect

RENAMED = {
    "pastDeadline": ("past_deadline", 1), "staleAfter": ("stale_after", 1e-3), "maxBackoff": ("max_backoff", 1e-3), "deadline": ("deadline", 1e-3),
}
writing = threading.Lock()


def now():
    return time.monotonic() * 1e3


def say(line):
    with writing:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def read(options):
    """Returns the options with their Python names and with times in seconds."""
    given = {}
    # The Python client has no options for test timing, except the longest backoff.
    options.pop("timing", None)
    for name, value in options.items():
        renamed, scale = RENAMED.get(name, (name, 1))
        given[renamed] = value * scale if scale != 1 else value
    return given


class Driver:
    """A client, and the flag that is evaluated with every event."""

    def __init__(self, options):
        self.watched = None
        url = options.pop("url")
        self.client = connect(url, **read(options))
        for name in ("ready", "change", "stale", "error"):
            self.client.on(name, self.tell)

    def tell(self, event):
        rules = self.client.ruleset
        line = {name: value for name, value in event._asdict().items() if value is not None}
        line["event"] = line.pop("name")
        enabled = self.client.is_enabled(*self.watched) if self.watched else None
        say({**line, "digest": rules.digest, "enabled": enabled, "at": now()})

    def answer(self, question):
        ask, rules = question["ask"], self.client.ruleset
        if ask == "clock":
            return {"at": now()}
        if ask == "state":
            return {"status": self.client.status, "revision": rules.revision, "digest": rules.digest}
        if ask == "evaluate":
            subjects = question["subjects"]
            flags = [dict(rules.for_tenant(subject).all()) for subject in subjects]
            return {"digest": rules.digest, "revision": rules.revision, "flags": flags, "fingerprint": rules.fingerprint(subjects)}
        if ask == "subject":
            try:
                found = self.client.subject(question["slug"])
            except DezkyError as error:
                return {"code": error.code}
            names = {"tenantId": found.tenant_id, "tenantSlug": found.tenant_slug, "plan": found.plan, "partnerSlug": found.partner_slug}
            return {"subject": {name: value for name, value in names.items() if value is not None}}
        if ask == "explain":
            explanation = rules.for_tenant(question["subject"]).explain(question["key"])
            return {"explanation": {name: value for name, value in explanation._asdict().items() if value is not None}}
        if ask == "watch":
            self.watched = (question["key"], question["subject"])
            return {}
        if ask == "collect":
            return {"collected": gc.collect()}
        if ask == "close":
            self.client.close()
            return {"status": self.client.status}
        raise ValueError(ask)


def main():
    try:
        driver = Driver(json.loads(sys.argv[1]))
    except DezkyError as error:
        say({"failed": error.code, "message": str(error)})
        return
    say({"connected": driver.client.instance})
    for line in sys.stdin:
        question = json.loads(line)
        if question["ask"] == "end":
            break
        say({"id": question["id"], **driver.answer(question)})


main()
