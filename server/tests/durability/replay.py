"""A replay of the log, compared with acknowledged writes and with served entities."""

from collections import Counter, defaultdict

from harness import Client
from load import Intent, Worker, record, signatures

ZERO = "0" * 64
LISTS = {"tenant": "/tenants", "partner": "/partners", "user": "/users", "subscription": "/subscriptions", "flag": "/flags"}


class Contradiction(AssertionError):
    """Two statements of the server contradict each other."""


def require(condition: bool, text: str) -> None:
    """Raises a contradiction unless the condition holds."""
    if not condition:
        raise Contradiction(text)


class LogReplay:
    """Every entity as built from the log, kept over restarts of the server."""

    def __init__(self):
        self.revision, self.hash = 0, ZERO
        self.entities: dict[tuple, dict] = {}
        self.effects: Counter = Counter()
        self.changes: dict[tuple, list[dict]] = defaultdict(list)
        self.touched: set[tuple] = set()

    def read(self, operator: Client) -> int:
        """Reads the new changes of the log and returns their number.

        Revisions must be dense and chained, and each change must start from the last state.
        """
        new_changes, path = [], "/audit?limit=200"
        cursor, done = None, False
        while not done:
            page = operator.get(path + (f"&cursor={cursor}" if cursor else "")).body
            require(page["proof"]["intact"], f"the log's page is not intact: {page['proof']}")
            new = [change for change in page["items"] if change["revision"] > self.revision]
            new_changes += new
            cursor = page["nextCursor"]
            done = len(new) < len(page["items"]) or cursor is None
        head = page["proof"]["headRevision"]
        for change in reversed(new_changes):
            self.apply(change)
        require(self.revision <= head, f"the log is at {self.revision} and its head is {head}")
        return len(new_changes)

    def apply(self, change: dict) -> None:
        """Applies one change of the log."""
        revision = change["revision"]
        require(revision == self.revision + 1, f"revision {revision} comes after {self.revision}")
        require(change["previousHash"] == self.hash, f"revision {revision} does not apply the one before it")
        entity = (change["entity"]["kind"], change["entity"]["id"])
        current_state = self.entities.get(entity)
        require(change["before"] == current_state, f"revision {revision} starts from {change['before']}, but there was {current_state}")
        if change["after"] is None:
            self.entities.pop(entity, None)
        else:
            self.entities[entity] = change["after"]
            expected = current_state["version"] + 1 if current_state else 1
            require(change["after"].get("version") == expected, f"revision {revision} does not create version {expected}")
        self.revision, self.hash = revision, change["hash"]
        self.touched.add(entity)
        for signature in signatures(change):
            self.effects[signature] += 1
            self.changes[signature].append(change)

    def confirm_served(self, operator: Client) -> None:
        """Compares the served entities that changed since the last call with the log."""
        for kind, identity in sorted(self.touched):
            self.confirm_entity(operator, kind, identity)
        self.touched.clear()

    def confirm_entity(self, operator: Client, kind: str, identity: str) -> None:
        """Compares one served entity with the log."""
        document = self.entities.get((kind, identity))
        name = document["slug"] if document and kind in ("tenant", "partner") else identity
        answer = operator.ask("GET", f"{LISTS[kind]}/{name}")
        if document is None:
            require(answer.status == 404, f"{kind} {identity} is deleted in the log but served: {answer.status}")
            return
        require(answer.status == 200, f"{kind} {name} is in the log but not served: {answer.status} {answer.body}")
        require(record(answer.body) == record(document), f"{kind} {name}: served {answer.body}, in the log {document}")

    def confirm_lists(self, operator: Client) -> None:
        """Compares the served lists with the log."""
        for kind, path in LISTS.items():
            items = operator.all(path if kind == "flag" else f"{path}?limit=200")
            name = "key" if kind == "flag" else "id"
            served = {item[name]: record(item) for item in items}
            logged = {key[1]: record(value) for key, value in self.entities.items() if key[0] == kind}
            require(len(served) == len(items), f"{path} returns an item twice")
            missing, extra = sorted(logged.keys() - served.keys()), sorted(served.keys() - logged.keys())
            require(not missing and not extra, f"{path} lacks {missing[:5]} and has {extra[:5]} that the log does not")
            differing = [key for key in served if served[key] != logged[key]]
            require(not differing, f"{path} differs from the log in {differing[:5]}")

    def confirm_acknowledged(self, intent: Intent) -> None:
        """Checks that an acknowledged write is in the log once and equals its answer."""
        count = self.effects[intent.signature()]
        require(count == 1, f"acknowledged, but {count} times in the log: {intent}")
        [change] = self.changes[intent.signature()]
        if intent.method == "DELETE":
            require(change["after"] is None, f"a deletion without an effect: {intent}")
            return
        answered = record(intent.answer.body)
        require(record(change["after"]) == answered, f"answered {answered}, in the log {change['after']}")

    def confirm_at_most_once(self, intent: Intent) -> bool:
        """Checks that an unacknowledged write is stored at most once, and returns whether it is.

        `apply` and `confirm_served` find partial writes.
        """
        count = self.effects[intent.signature()]
        require(count <= 1, f"not acknowledged, but {count} times in the log: {intent}")
        return count == 1


def confirm_ledger(replay: LogReplay, workers: list[Worker], operator: Client) -> Counter:
    """Checks the ledgers of the writers, and repeats lost writes that have an idempotency key.

    The repeated writes are checked too.
    """
    counts: Counter = Counter()
    replay.read(operator)
    for worker in workers:
        require(not worker.failures, f"a writer got an impossible answer: {worker.failures[:3]}")
        acknowledged, lost, refused = worker.take_ledger()
        for intent in acknowledged:
            replay.confirm_acknowledged(intent)
        counts["acknowledged"] += len(acknowledged)
        for intent in refused + lost:
            landed = replay.confirm_at_most_once(intent)
            counts["landed unacknowledged" if landed else "not landed"] += 1
            if intent.key:
                repeat(replay, operator, intent)
                counts["repeated"] += 1
            if landed or intent.key:
                worker.adopt(intent)
        for intent in [intent for intent in acknowledged if intent.key][-2:]:
            repeat(replay, operator, intent)
            counts["repeated"] += 1
    replay.confirm_served(operator)
    return counts


def repeat(replay: LogReplay, operator: Client, intent: Intent) -> None:
    """Repeats a write with its idempotency key.

    The write must succeed, have one effect, and get its earlier answer if it had one.
    """
    answer = intent.send(operator)
    current = replay.entities.get(("flag", intent.entity), {}).get("version")
    if intent.effect is None and not replay.effects[intent.signature()] and current != intent.version:
        # The write was not stored and its version is gone, so it must fail now.
        require(answer.status in (404, 412), f"for a deleted version, but answered: {answer.status} {answer.body} to {intent}")
        replay.read(operator)
        require(not replay.effects[intent.signature()], f"for a deleted version, but stored: {intent}")
        return
    require(answer.status in (200, 201), f"repeated with its key, but refused: {answer.status} {answer.body} to {intent}")
    again = intent.send(operator)
    for earlier in filter(None, (intent.answer if intent.answer and intent.answer.status < 300 else None, answer)):
        same = (again.status, again.body, again.etag) == (earlier.status, earlier.body, earlier.etag)
        require(same, f"two answers for one key: {earlier} and {again}")
    replay.read(operator)
    count = replay.effects[intent.signature()]
    require(count == 1, f"repeated with its key, but {count} times in the log: {intent}")
