"""Tests of concurrent writes to one entity: every outcome is defined and no update is lost."""

import shutil
import tempfile
import threading
import unittest
import uuid
from collections import Counter
from pathlib import Path

from harness import Server, run_together, verify_log
from replay import LogReplay

CROWD = 32


class Races(unittest.TestCase):
    """Races on one shared server."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.server = Server(cls.folder / "data").start()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.addClassCleanup(cls.server.kill)

    def setUp(self):
        self.operator = self.server.operator()
        self.crowd = [self.server.client(self.operator.token) for _ in range(CROWD)]
        self.addCleanup(lambda: [client.close() for client in (self.operator, *self.crowd)])

    def tenant(self) -> tuple[str, str, str]:
        """Creates a tenant and returns its path, id and tag."""
        slug = f"race-{uuid.uuid4().hex[:12]}"
        made = self.operator.ask("POST", "/tenants", {"slug": slug, "name": "0", "plan": "business"})
        self.assertEqual(made.status, 201, made.body)
        return f"/tenants/{slug}", made.body["id"], made.etag

    def changes(self, kind: str, identity: str) -> list[dict]:
        """Returns the changes of an entity, newest first."""
        return self.operator.all(f"/audit?limit=200&entity={kind}&id={identity}")

    def tearDown(self):
        replay = LogReplay()
        replay.read(self.operator)
        replay.confirm_served(self.operator)
        replay.confirm_lists(self.operator)
        verify_log(self.server.data)

    def test_no_update_is_lost(self):
        path, identity, _ = self.tenant()
        each = 8

        def count_up(index: int) -> Counter:
            client, seen = self.crowd[index], Counter()
            while seen[200] < each:
                read = client.get(path)
                body = {"name": str(int(read.body["name"]) + 1)}
                answer = client.ask("PATCH", path, body, match=read.etag)
                self.assertIn(answer.status, (200, 412), answer.body)
                if answer.status == 200:
                    self.assertEqual(answer.body["name"], body["name"])
                seen[answer.status] += 1
            return seen

        seen = sum(run_together(CROWD, count_up), Counter())
        self.assertGreater(seen[412], 0, "no two updates competed")
        self.assertEqual(self.operator.get(path).body["name"], str(CROWD * each))
        names = [change["after"]["name"] for change in self.changes("tenant", identity)]
        self.assertEqual(names, [str(number) for number in range(CROWD * each, -1, -1)])

    def test_no_update_of_a_flag_is_lost(self):
        key = f"race-{uuid.uuid4().hex[:12]}"
        made = self.operator.ask("POST", "/flags", {"key": key, "state": "rollout", "pct": 0})
        self.assertEqual(made.status, 201, made.body)

        def raise_once(index: int) -> None:
            client = self.crowd[index]
            while True:
                read = client.get(f"/flags/{key}")
                answer = client.ask("PATCH", f"/flags/{key}", {"pct": read.body["pct"] + 1}, match=read.etag)
                self.assertIn(answer.status, (200, 412), answer.body)
                if answer.status == 200:
                    return

        run_together(CROWD, raise_once)
        self.assertEqual(self.operator.get(f"/flags/{key}").body["pct"], CROWD)
        self.assertEqual(len(self.changes("flag", key)), CROWD + 1)

    def test_one_request_gets_a_contested_name(self):
        for path, name, body in (
            ("/tenants", "slug", {"name": "Race", "plan": "business"}),
            ("/partners", "slug", {"name": "Race"}),
            ("/flags", "key", {"state": "off"}),
        ):
            with self.subTest(path=path):
                body = body | {name: f"race-{uuid.uuid4().hex[:12]}"}
                answers = run_together(CROWD, lambda index: self.crowd[index].ask("POST", path, body))
                outcomes = Counter((answer.status, answer.code) for answer in answers)
                self.assertEqual(outcomes, {(201, ""): 1, (409, "taken"): CROWD - 1})
                [winner] = [answer for answer in answers if answer.status == 201]
                served = self.operator.get(f"{path}/{body[name]}").body
                self.assertEqual(served["createdAt"], winner.body["createdAt"])
                self.assertEqual(len(self.changes(path[1:-1], served.get("id", body[name]))), 1)

    def test_an_idempotency_key_has_one_effect(self):
        slug, key = f"race-{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
        body = {"slug": slug, "name": "Race", "plan": "business"}
        answers = run_together(CROWD, lambda index: self.crowd[index].ask("POST", "/tenants", body, key=key))
        self.assertEqual({answer.status for answer in answers}, {201}, [answer.body for answer in answers])
        self.assertEqual(len({(str(answer.body), answer.etag, answer.headers["location"]) for answer in answers}), 1)
        self.assertEqual(len(self.changes("tenant", answers[0].body["id"])), 1)
        other = self.operator.ask("POST", "/tenants", body | {"name": "Other"}, key=key)
        self.assertEqual((other.status, other.code), (422, "idempotency_key_reused"))

    def test_an_idempotency_key_makes_one_transition(self):
        for _ in range(10):
            path, identity, tag = self.tenant()
            key = str(uuid.uuid4())
            answers = run_together(CROWD, lambda index: self.crowd[index].ask("POST", f"{path}/suspend", match=tag, key=key))
            outcomes = Counter((answer.status, answer.code) for answer in answers)
            self.assertEqual(outcomes, {(200, ""): CROWD})
            self.assertEqual(len({str(answer.body) for answer in answers}), 1)
            actions = [change["action"] for change in self.changes("tenant", identity)]
            self.assertEqual(actions, ["tenant.suspend", "tenant.create"])

    def test_no_update_follows_a_termination(self):
        for _ in range(5):
            path, identity, _ = self.tenant()
            head_start = threading.Semaphore(0)

            def run_requests(index: int) -> list[int]:
                client, statuses = self.crowd[index], []
                if index == 0:
                    for _ in range(CROWD):
                        head_start.acquire()
                    # Terminates any version. The termination is then the last change.
                    while True:
                        answer = client.ask("DELETE", path, match="*")
                        self.assertIn(answer.status, (200, 412), answer.body)
                        if answer.status == 200:
                            return [200]
                while True:
                    read = client.get(path)
                    answer = client.ask("PATCH", path, {"name": uuid.uuid4().hex}, match=read.etag)
                    head_start.release()
                    statuses.append(answer.status)
                    self.assertIn(answer.status, (200, 412, 409), answer.body)
                    if answer.status == 409:
                        self.assertEqual(answer.code, "invalid_transition")
                        return statuses

            outcomes = Counter(status for statuses in run_together(CROWD, run_requests) for status in statuses)
            changes = self.changes("tenant", identity)
            self.assertEqual(changes[0]["action"], "tenant.terminate")
            self.assertEqual(changes[0]["after"]["status"], "terminated")
            self.assertEqual({change["after"]["status"] for change in changes[1:]}, {"active"})
            updates = sum(change["action"] == "tenant.update" for change in changes)
            self.assertEqual(outcomes[200], updates + 1)
            self.assertEqual(outcomes[409], CROWD - 1)
            late = self.operator.ask("PATCH", path, {"name": "Late"}, match="*")
            self.assertEqual((late.status, late.code), (409, "invalid_transition"))

    def test_suspensions_and_resumptions_alternate(self):
        path, identity, _ = self.tenant()

        def run_requests(index: int) -> Counter:
            client, step, seen = self.crowd[index], ("suspend", "resume")[index % 2], Counter()
            for _ in range(20):
                answer = client.ask("POST", f"{path}/{step}", match="*")
                self.assertIn(answer.status, (200, 409, 412), answer.body)
                seen[answer.status] += 1
            return seen

        seen = sum(run_together(CROWD, run_requests), Counter())
        changes = self.changes("tenant", identity)
        self.assertEqual(seen[200], len(changes) - 1)
        self.assertGreater(seen[200], 1)
        steps = [change["action"] for change in reversed(changes)][1:]
        expected = [("tenant.suspend", "tenant.resume")[index % 2] for index in range(len(steps))]
        self.assertEqual(steps, expected)

    def test_concurrent_first_sign_ins_create_one_user(self):
        token = self.server.token("stranger")
        crowd = [self.server.client(token) for _ in range(CROWD)]
        answers = run_together(CROWD, lambda index: crowd[index].ask("GET", "/users/me"))
        for client in crowd:
            client.close()
        self.assertEqual({answer.status for answer in answers}, {200}, [answer.body for answer in answers])
        emails = Counter(user["email"] for user in self.operator.all("/users?limit=200"))
        self.assertEqual(set(emails.values()), {1}, emails)


if __name__ == "__main__":
    unittest.main()
