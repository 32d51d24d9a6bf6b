"""Concurrent writers with a ledger of acknowledged, lost and refused writes."""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field

from harness import LOST, Answer, Client, Server

# The members of an answer that are not part of the record.
SHOWN_ONLY = {"history", "warning", "customers", "mrr"}


@dataclass
class Intent:
    """A write as it was sent, with the data to find its effect in the log."""

    method: str
    path: str
    body: dict | None
    match: str
    key: str
    action: str
    # The effect of the write is the change of this action that sets this member, or that starts
    # from this version.
    effect: tuple | None
    entity: str = ""
    version: int = 0
    sent: float = field(default_factory=time.time)
    answer: Answer | None = None

    def send(self, client: Client) -> Answer:
        """Sends the write. It can be sent several times."""
        return client.ask(self.method, self.path, self.body, self.match, self.key)

    def signature(self) -> tuple:
        """Returns the signature of the effect, as in `signatures`."""
        return (self.action, *self.effect) if self.effect else (self.action, self.entity, self.version)


def signatures(change: dict) -> list[tuple]:
    """Returns every signature that an intent for this change can have."""
    action, before, after = change["action"], change["before"], change["after"]
    found = [(action, change["entity"]["id"], before["version"])] if before else []
    names = ("slug", "key", "name", "description")
    return found + [(action, name, after[name]) for name in names if after and name in after]


def record(document: dict) -> dict:
    """Returns the record in an answer."""
    return {name: value for name, value in document.items() if name not in SHOWN_ONLY}


class Worker:
    """One writer, with its own entities and some that all writers share.

    The writer keeps its ledger and its cache over restarts of the server.
    """

    def __init__(self, number: int, seed: int):
        self.number, self.random = number, random.Random(f"{seed}/{number}")
        self.acknowledged: list[Intent] = []
        self.lost: list[Intent] = []
        self.refused: list[Intent] = []
        self.failures: list[str] = []
        self.tenants: list[str] = []
        self.flag = None
        self.count = 0
        # Refused writes without a unique mark. A retry from the same version looks equal.
        self.ambiguous: set[tuple] = set()
        # The tag and document by path. An entry is removed if the entity may have changed.
        self.cache: dict[str, tuple[str, dict]] = {}

    def work(self, server: Server, token: str, users: list[str], stop: threading.Event, max_refusals: int = 0) -> None:
        """Writes until the server dies, `stop` is set, or `max_refusals` is exceeded."""
        client = server.client(token)
        refusals = 0
        while not stop.is_set():
            try:
                intent = self.next_intent(client, users)
            except LOST:
                break
            except AssertionError as failure:
                self.failures.append(f"{failure}")
                break
            try:
                intent.answer = intent.send(client)
            except LOST:
                self.lost.append(intent)
                self.cache.pop(self.entity_path(intent), None)
                break
            if not self.record_answer(intent):
                refusals += 1
                if refusals > max_refusals:
                    break
        client.close()

    def record_answer(self, intent: Intent) -> bool:
        """Records an answer and returns whether the store accepted the write."""
        answer, path = intent.answer, self.entity_path(intent)
        self.cache.pop(path, None)
        if answer.status in (200, 201):
            self.acknowledged.append(intent)
            if intent.method == "DELETE":
                self.flag = None
                return True
            self.cache[path] = (answer.etag, record(answer.body))
            if intent.action == "tenant.create":
                self.tenants.append(path)
            if intent.action == "flag.create":
                self.flag = path
            return True
        if answer.status == 412 and path.startswith("/users/"):
            return True
        self.refused.append(intent)
        if intent.effect is None:
            self.ambiguous.add((intent.entity, intent.version))
        if answer.status == 503 and answer.code == "store_unavailable":
            return False
        self.failures.append(f"{intent.method} {intent.path}: {answer.status} {answer.body}")
        return False

    @staticmethod
    def entity_path(intent: Intent) -> str:
        """Returns the path of the entity of an intent."""
        if intent.action in ("tenant.create", "flag.create"):
            return f"{intent.path}/{intent.effect[1]}"
        return intent.path.removesuffix("/kill")

    def next_intent(self, client: Client, users: list[str]) -> Intent:
        """Returns the next write, based on cached or freshly read entities."""
        self.count += 1
        mark = f"w{self.number}-{self.count}-{uuid.UUID(int=self.random.getrandbits(128)).hex[:8]}"
        key = str(uuid.UUID(int=self.random.getrandbits(128))) if self.random.random() < 0.5 else ""
        if self.flag is None:
            self.cache = {path: entry for path, entry in self.cache.items() if not path.startswith("/flags/")}
            body = {"key": f"flag-{mark}", "state": "rollout", "pct": self.random.randrange(101), "description": mark}
            return Intent("POST", "/flags", body, "", key, "flag.create", ("key", f"flag-{mark}"))
        roll = self.random.random()
        if not self.tenants or roll < 0.2:
            body = {"slug": f"t-{mark}", "name": mark, "plan": "business"}
            return Intent("POST", "/tenants", body, "", key, "tenant.create", ("slug", f"t-{mark}"))
        if roll < 0.5:
            return self.change(client, self.random.choice(self.tenants), "tenant.update", {"name": mark}, "id")
        if roll < 0.65:
            path = f"/users/{self.random.choice(users)}"
            self.cache.pop(path, None)
            return self.change(client, path, "user.update", {"name": mark}, "id")
        tag, document = self.read_entity(client, self.flag)
        if document["state"] == "off" or roll < 0.8 or (document["key"], document["version"]) in self.ambiguous:
            body = {"state": "on", "description": mark}
            return Intent("PATCH", self.flag, body, tag, "", "flag.update", ("description", mark), document["key"])
        action = "flag.delete" if roll > 0.97 else "flag.kill"
        method, path = ("DELETE", self.flag) if action == "flag.delete" else ("POST", f"{self.flag}/kill")
        key = key if method == "POST" else ""
        return Intent(method, path, None, tag, key, action, None, document["key"], document["version"])

    def change(self, client: Client, path: str, action: str, body: dict, identity: str) -> Intent:
        """Returns a change of an entity, based on its cached version."""
        tag, document = self.read_entity(client, path)
        [effect] = body.items()
        return Intent("PATCH", path, body, tag, "", action, effect, document[identity], document["version"])

    def read_entity(self, client: Client, path: str) -> tuple[str, dict]:
        """Returns the tag and the record of an entity, from the cache or the server."""
        if path not in self.cache:
            answer = client.get(path)
            self.cache[path] = (answer.etag, record(answer.body))
        return self.cache[path]

    def adopt(self, intent: Intent) -> None:
        """Adopts the effect of a lost write that turned out to be stored."""
        path = self.entity_path(intent)
        self.cache.pop(path, None)
        if intent.action == "tenant.create" and path not in self.tenants:
            self.tenants.append(path)
        if intent.action == "flag.create":
            self.flag = path
        if intent.action == "flag.delete":
            self.flag = None

    def take_ledger(self) -> tuple[list[Intent], list[Intent], list[Intent]]:
        """Returns the acknowledged, lost and refused writes, and clears the ledger."""
        ledger = self.acknowledged, self.lost, self.refused
        self.acknowledged, self.lost, self.refused = [], [], []
        return ledger


def shared_users(operator: Client) -> list[str]:
    """Returns two users without rights, so that changes of them change no right."""
    ordinary = [user["id"] for user in operator.all("/users") if not user["platformAdmin"] and user["active"]]
    return sorted(ordinary)[:2]


class Load:
    """Several writers that work on one server process."""

    def __init__(self, workers: list[Worker], server: Server, max_refusals: int = 0):
        operator = server.operator()
        users = shared_users(operator)
        self.began = time.time()
        self.stopped = threading.Event()
        arguments = (server, operator.token, users, self.stopped, max_refusals)
        operator.close()
        self.workers = workers
        self.threads = [threading.Thread(target=worker.work, args=arguments) for worker in workers]
        for thread in self.threads:
            thread.start()

    def wait_for_writes(self, count: int, seconds: float = 30.0) -> None:
        """Waits until the writers have that many more acknowledged writes."""
        total = lambda: sum(len(worker.acknowledged) for worker in self.workers)  # noqa: E731
        wanted, deadline = total() + count, time.monotonic() + seconds
        while total() < wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {total()} of {wanted} writes were acknowledged within {seconds} s")
            time.sleep(0.005)

    def join(self) -> None:
        """Waits until every writer has stopped."""
        for thread in self.threads:
            thread.join()

    def stop(self) -> None:
        """Stops the writers after their current writes."""
        self.stopped.set()
        self.join()
