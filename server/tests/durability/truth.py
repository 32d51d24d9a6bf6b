"""What the log says, against what was acknowledged and against what is served."""

from collections import Counter, defaultdict

from harness import Client
from load import Intent, Worker, record, signatures

ZERO = "0" * 64
LISTS = {"tenant": "/tenants", "partner": "/partners", "user": "/users", "subscription": "/subscriptions", "flag": "/flags"}


class Contradiction(AssertionError):
    """Two things that the server said cannot both be."""


def hold(condition: bool, text: str) -> None:
    """Insists on a condition."""
    if not condition:
        raise Contradiction(text)


class Truth:
    """Every entity as the log makes it, kept from one server process to the next."""

    def __init__(self):
        self.revision, self.hash = 0, ZERO
        self.entities: dict[tuple, dict] = {}
        self.effects: Counter = Counter()
        self.changes: dict[tuple, list[dict]] = defaultdict(list)
        self.touched: set[tuple] = set()

    def read(self, operator: Client) -> int:
        """Reads what is new in the log: dense, chained to what was read before, each change starting where the last one ended."""
        fresh, path = [], "/audit?limit=200"
        cursor, done = None, False
        while not done:
            page = operator.get(path + (f"&cursor={cursor}" if cursor else "")).body
            hold(page["proof"]["intact"], f"the log's page is not intact: {page['proof']}")
            new = [change for change in page["items"] if change["revision"] > self.revision]
            fresh += new
            cursor = page["nextCursor"]
            done = len(new) < len(page["items"]) or cursor is None
        head = page["proof"]["headRevision"]
        for change in reversed(fresh):
            self.follow(change)
        hold(self.revision <= head, f"the log is at {self.revision} and its head is {head}")
        return len(fresh)

    def follow(self, change: dict) -> None:
        """One change more."""
        revision = change["revision"]
        hold(revision == self.revision + 1, f"revision {revision} comes after {self.revision}")
        hold(change["previousHash"] == self.hash, f"revision {revision} does not follow the one before it")
        entity = (change["entity"]["kind"], change["entity"]["id"])
        known = self.entities.get(entity)
        hold(change["before"] == known, f"revision {revision} starts from {change['before']}, but there was {known}")
        if change["after"] is None:
            self.entities.pop(entity, None)
        else:
            self.entities[entity] = change["after"]
            expected = known["version"] + 1 if known else 1
            hold(change["after"].get("version") == expected, f"revision {revision} makes no version {expected}")
        self.revision, self.hash = revision, change["hash"]
        self.touched.add(entity)
        for signature in signatures(change):
            self.effects[signature] += 1
            self.changes[signature].append(change)

    def confirm_served(self, operator: Client) -> None:
        """Every entity that the log touched since the last time is served as the log has it."""
        for kind, identity in sorted(self.touched):
            self.confirm_entity(operator, kind, identity)
        self.touched.clear()

    def confirm_entity(self, operator: Client, kind: str, identity: str) -> None:
        """One entity."""
        document = self.entities.get((kind, identity))
        name = document["slug"] if document and kind in ("tenant", "partner") else identity
        answer = operator.ask("GET", f"{LISTS[kind]}/{name}")
        if document is None:
            hold(answer.status == 404, f"{kind} {identity} was removed and is served: {answer.status}")
            return
        hold(answer.status == 200, f"{kind} {name} is in the log and not served: {answer.status} {answer.body}")
        hold(record(answer.body) == record(document), f"{kind} {name}: served {answer.body}, in the log {document}")

    def confirm_lists(self, operator: Client) -> None:
        """The lists hold exactly what the log made."""
        for kind, path in LISTS.items():
            items = operator.all(path if kind == "flag" else f"{path}?limit=200")
            name = "key" if kind == "flag" else "id"
            served = {item[name]: record(item) for item in items}
            logged = {key[1]: record(value) for key, value in self.entities.items() if key[0] == kind}
            hold(len(served) == len(items), f"{path} has an item twice")
            missing, extra = sorted(logged.keys() - served.keys()), sorted(served.keys() - logged.keys())
            hold(not missing and not extra, f"{path} lacks {missing[:5]} and has {extra[:5]} that the log does not")
            differing = [key for key in served if served[key] != logged[key]]
            hold(not differing, f"{path} differs from the log in {differing[:5]}")

    def confirm_acknowledged(self, intent: Intent) -> None:
        """What was acknowledged is in the log once, and as it was answered."""
        times = self.effects[intent.signature()]
        hold(times == 1, f"acknowledged, and {times} times in the log: {intent}")
        [change] = self.changes[intent.signature()]
        if intent.method == "DELETE":
            hold(change["after"] is None, f"a removal that removed nothing: {intent}")
            return
        answered = record(intent.answer.body)
        hold(record(change["after"]) == answered, f"answered {answered}, in the log {change['after']}")

    def confirm_at_most_once(self, intent: Intent) -> bool:
        """What was not acknowledged is there wholly or not at all; whether it is. (That nothing is there by half, `follow` and
        `confirm_served` see.)"""
        times = self.effects[intent.signature()]
        hold(times <= 1, f"not acknowledged, and {times} times in the log: {intent}")
        return times == 1


def confirm_ledger(truth: Truth, workers: list[Worker], operator: Client) -> Counter:
    """Judges what the writers noted since the last time; then repeats what was lost and may be repeated, and judges that too."""
    counts: Counter = Counter()
    truth.read(operator)
    for worker in workers:
        hold(not worker.failures, f"a writer was answered what cannot be: {worker.failures[:3]}")
        acknowledged, lost, refused = worker.hand_over()
        for intent in acknowledged:
            truth.confirm_acknowledged(intent)
        counts["acknowledged"] += len(acknowledged)
        for intent in refused + lost:
            landed = truth.confirm_at_most_once(intent)
            counts["landed unacknowledged" if landed else "not landed"] += 1
            if intent.key:
                repeat(truth, operator, intent)
                counts["repeated"] += 1
            if landed or intent.key:
                worker.settle(intent)
        for intent in [intent for intent in acknowledged if intent.key][-2:]:
            repeat(truth, operator, intent)
            counts["repeated"] += 1
    truth.confirm_served(operator)
    return counts


def repeat(truth: Truth, operator: Client, intent: Intent) -> None:
    """Sends a write again under its key: it succeeds, has one effect, and is answered as before if it was answered before."""
    answer = intent.send(operator)
    current = truth.entities.get(("flag", intent.entity), {}).get("version")
    if intent.made is None and not truth.effects[intent.signature()] and current != intent.version:
        # It was not made, and what it was for is no longer there: now it cannot be made.
        hold(answer.status in (404, 412), f"for a version that is gone, and answered: {answer.status} {answer.body} to {intent}")
        truth.read(operator)
        hold(not truth.effects[intent.signature()], f"for a version that is gone, and made: {intent}")
        return
    hold(answer.status in (200, 201), f"repeated under its key and refused: {answer.status} {answer.body} to {intent}")
    again = intent.send(operator)
    for earlier in filter(None, (intent.answer if intent.answer and intent.answer.status < 300 else None, answer)):
        same = (again.status, again.body, again.etag) == (earlier.status, earlier.body, earlier.etag)
        hold(same, f"two answers under one key: {earlier} and {again}")
    truth.read(operator)
    times = truth.effects[intent.signature()]
    hold(times == 1, f"repeated under its key, and {times} times in the log: {intent}")
