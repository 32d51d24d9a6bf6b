"""An honest client that runs during the attacks and records its answers and their times."""

import http.client
import threading
import time
from collections import Counter
from urllib.parse import quote

from harness import LOST, Client

ADDRESS = "127.0.0.9"


class HonestClient(Client):
    """A client with its own loopback address."""

    def ask(self, method, path, body=None, match="", key=""):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=self.timeout, source_address=(ADDRESS, 0)
            )
        return super().ask(method, path, body, match, key)


class Honest:
    """Reads, evaluates and writes in a loop, and keeps a ledger of acknowledged writes."""

    def __init__(self, port: int):
        self.port, self.token = port, ""
        self.times: list[float] = []
        self.answers: Counter = Counter()
        self.wrong: list[str] = []
        self.ledger: dict[str, str] = {}
        self.lost: Counter = Counter()
        self.ends = 0
        self.stop = threading.Event()
        self.is_up = threading.Event()
        self.is_up.set()
        self.thread = threading.Thread(target=self.work)

    def start(self) -> None:
        """Starts the loop of requests."""
        self.thread.start()

    def server_ends(self) -> None:
        """Allows failed requests from now on, because the server is about to end."""
        self.is_up.clear()
        self.ends += 1

    def server_is_back(self) -> None:
        """Requires an answer to every request again."""
        self.is_up.set()

    def work(self) -> None:
        """Sends requests until `stop` is set."""
        client, count = HonestClient(self.port, timeout=30), 0
        while not self.stop.wait(0.05):
            ends = self.ends
            if not self.is_up.is_set():
                continue
            if client.token != self.token:
                # The server was restarted, so the connection is closed.
                client.close()
                client.token = self.token
            count += 1
            try:
                self.read(client, "/tenants/acme")
                self.read(client, "/flags")
                self.ask(client, 200, "POST", "/flags/evaluate", {"tenantSlug": "acme"})
                if count % 5 == 0:
                    self.write(client, count)
            except LOST as error:
                if ends == self.ends:
                    self.lost[repr(error)] += 1
        client.close()

    def read(self, client: Client, path: str) -> None:
        """Sends a GET request that must return 200."""
        self.ask(client, 200, "GET", path)

    def ask(self, client: Client, expected: int, *request):
        """Sends a request and records its time and its status."""
        start = time.monotonic()
        answer = client.ask(*request)
        self.times.append(time.monotonic() - start)
        self.answers[answer.status] += 1
        if answer.status != expected:
            self.wrong.append(f"{request[0]} {request[1]}: {answer.status} {answer.body}")
        return answer

    def write(self, client: Client, count: int) -> None:
        """Creates a tenant and adds it to the ledger once it is acknowledged."""
        slug = f"honest-{count}"
        body = {"slug": slug, "name": f"Honest {count}", "plan": "free"}
        answer = self.ask(client, 201, "POST", "/tenants", body)
        if answer.status == 201:
            self.ledger[slug] = body["name"]

    def end(self) -> None:
        """Stops the loop of requests."""
        self.stop.set()
        self.thread.join()

    def missing(self) -> list[str]:
        """Returns the acknowledged tenants that are missing or wrong."""
        client = HonestClient(self.port, self.token, timeout=30)
        tenants = {tenant["slug"]: tenant["name"] for tenant in client.all(f"/tenants?limit=200&q={quote('honest')}")}
        client.close()
        return [slug for slug, name in self.ledger.items() if tenants.get(slug) != name]

    def percentile(self, part: float) -> float:
        """Returns a percentile of the answer times in seconds."""
        times = sorted(self.times) or [0.0]
        return times[min(len(times) - 1, int(len(times) * part))]
