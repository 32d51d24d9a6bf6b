"""Writers that keep a ledger: what was acknowledged, what was lost on the way, what was refused."""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field

from harness import LOST, Answer, Client, Server

# The members of an answer that are not the record's own.
SHOWN_ONLY = {"history", "warning", "customers", "mrr"}


@dataclass
class Intent:
    """A write as it was sent, and how its effect is recognised in the log."""

    method: str
    path: str
    body: dict | None
    match: str
    key: str
    action: str
    # Of the changes of this action the one that makes this member, or that starts from this version, is its effect.
    made: tuple | None
    entity: str = ""
    version: int = 0
    sent: float = field(default_factory=time.time)
    answer: Answer | None = None

    def send(self, client: Client) -> Answer:
        """Sends it, again and again if need be."""
        return client.ask(self.method, self.path, self.body, self.match, self.key)

    def signature(self) -> tuple:
        """Under what its effect is filed; see `signatures`."""
        return (self.action, *self.made) if self.made else (self.action, self.entity, self.version)


def signatures(change: dict) -> list[tuple]:
    """Every signature that an intent for this change could have."""
    action, before, after = change["action"], change["before"], change["after"]
    found = [(action, change["entity"]["id"], before["version"])] if before else []
    names = ("slug", "key", "name", "description")
    return found + [(action, name, after[name]) for name in names if after and name in after]


def record(document: dict) -> dict:
    """The record in an answer."""
    return {name: value for name, value in document.items() if name not in SHOWN_ONLY}


class Worker:
    """One writer, with entities of its own and some that all share; it keeps what it knows from one server process to the next."""

    def __init__(self, number: int, seed: int):
        self.number, self.random = number, random.Random(f"{seed}/{number}")
        self.acknowledged: list[Intent] = []
        self.lost: list[Intent] = []
        self.refused: list[Intent] = []
        self.failures: list[str] = []
        self.tenants: list[str] = []
        self.flag = None
        self.count = 0
        # What was refused and has no mark of its own: another try from the same version could not be told from it.
        self.ambiguous: set[tuple] = set()
        # From path to tag and document; forgotten when it may have changed without an answer.
        self.known: dict[str, tuple[str, dict]] = {}

    def work(self, server: Server, token: str, users: list[str], stop: threading.Event, patience: int = 0) -> None:
        """Writes until the server dies, or `stop`, or more than `patience` refusals."""
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
                self.known.pop(self.entity_path(intent), None)
                break
            if not self.take(intent):
                refusals += 1
                if refusals > patience:
                    break
        client.close()

    def take(self, intent: Intent) -> bool:
        """Files an answer; whether the store could."""
        answer, path = intent.answer, self.entity_path(intent)
        self.known.pop(path, None)
        if answer.status in (200, 201):
            self.acknowledged.append(intent)
            if intent.method == "DELETE":
                self.flag = None
                return True
            self.known[path] = (answer.etag, record(answer.body))
            if intent.action == "tenant.create":
                self.tenants.append(path)
            if intent.action == "flag.create":
                self.flag = path
            return True
        if answer.status == 412 and path.startswith("/users/"):
            return True
        self.refused.append(intent)
        if intent.made is None:
            self.ambiguous.add((intent.entity, intent.version))
        if answer.status == 503 and answer.code == "store_unavailable":
            return False
        self.failures.append(f"{intent.method} {intent.path}: {answer.status} {answer.body}")
        return False

    @staticmethod
    def entity_path(intent: Intent) -> str:
        """The path of the entity that an intent is about."""
        if intent.action in ("tenant.create", "flag.create"):
            return f"{intent.path}/{intent.made[1]}"
        return intent.path.removesuffix("/kill")

    def next_intent(self, client: Client, users: list[str]) -> Intent:
        """What to write next, about what is known or read for it."""
        self.count += 1
        mark = f"w{self.number}-{self.count}-{uuid.UUID(int=self.random.getrandbits(128)).hex[:8]}"
        key = str(uuid.UUID(int=self.random.getrandbits(128))) if self.random.random() < 0.5 else ""
        if self.flag is None:
            self.known = {path: known for path, known in self.known.items() if not path.startswith("/flags/")}
            body = {"key": f"flag-{mark}", "state": "rollout", "pct": self.random.randrange(101), "description": mark}
            return Intent("POST", "/flags", body, "", key, "flag.create", ("key", f"flag-{mark}"))
        dice = self.random.random()
        if not self.tenants or dice < 0.2:
            body = {"slug": f"t-{mark}", "name": mark, "plan": "business"}
            return Intent("POST", "/tenants", body, "", key, "tenant.create", ("slug", f"t-{mark}"))
        if dice < 0.5:
            return self.change(client, self.random.choice(self.tenants), "tenant.update", {"name": mark}, "id")
        if dice < 0.65:
            path = f"/users/{self.random.choice(users)}"
            self.known.pop(path, None)
            return self.change(client, path, "user.update", {"name": mark}, "id")
        tag, document = self.look(client, self.flag)
        if document["state"] == "off" or dice < 0.8 or (document["key"], document["version"]) in self.ambiguous:
            body = {"state": "on", "description": mark}
            return Intent("PATCH", self.flag, body, tag, "", "flag.update", ("description", mark), document["key"])
        action = "flag.delete" if dice > 0.97 else "flag.kill"
        method, path = ("DELETE", self.flag) if action == "flag.delete" else ("POST", f"{self.flag}/kill")
        key = key if method == "POST" else ""
        return Intent(method, path, None, tag, key, action, None, document["key"], document["version"])

    def change(self, client: Client, path: str, action: str, body: dict, identity: str) -> Intent:
        """A change of an entity as it is known."""
        tag, document = self.look(client, path)
        [made] = body.items()
        return Intent("PATCH", path, body, tag, "", action, made, document[identity], document["version"])

    def look(self, client: Client, path: str) -> tuple[str, dict]:
        """The tag and the record of an entity."""
        if path not in self.known:
            answer = client.get(path)
            self.known[path] = (answer.etag, record(answer.body))
        return self.known[path]

    def settle(self, intent: Intent) -> None:
        """Takes up what a lost write turned out to have made, or to have removed."""
        path = self.entity_path(intent)
        self.known.pop(path, None)
        if intent.action == "tenant.create" and path not in self.tenants:
            self.tenants.append(path)
        if intent.action == "flag.create":
            self.flag = path
        if intent.action == "flag.delete":
            self.flag = None

    def hand_over(self) -> tuple[list[Intent], list[Intent], list[Intent]]:
        """The ledger since the last time: acknowledged, lost, refused."""
        ledger = self.acknowledged, self.lost, self.refused
        self.acknowledged, self.lost, self.refused = [], [], []
        return ledger


def shared_users(operator: Client) -> list[str]:
    """The ids of the users that all writers change: two who can do nothing, so that no right changes."""
    ordinary = [user["id"] for user in operator.all("/users") if not user["platformAdmin"] and user["active"]]
    return sorted(ordinary)[:2]


class Load:
    """Several writers at work on one server process."""

    def __init__(self, workers: list[Worker], server: Server, patience: int = 0):
        operator = server.operator()
        users = shared_users(operator)
        self.began = time.time()
        self.stopped = threading.Event()
        arguments = (server, operator.token, users, self.stopped, patience)
        operator.close()
        self.threads = [threading.Thread(target=worker.work, args=arguments) for worker in workers]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        """Waits until every writer has found out that the server is dead."""
        for thread in self.threads:
            thread.join()

    def stop(self) -> None:
        """Lets every writer finish what it is at."""
        self.stopped.set()
        self.join()
