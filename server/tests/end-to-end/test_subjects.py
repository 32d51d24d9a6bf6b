"""Tests of subjects by slug: clients give the server's answers, also after a change of the plan."""

import time
import unittest

from support import EndToEnd, Operator, until

PARTNER, TENANT = "nordwind", "fjord"
MAX_SECONDS = 2.0


class Subjects(EndToEnd):
    """Node, Python and Rust follow the snapshot, and Chromium follows the slice of one tenant."""

    def test_a_partners_flag_is_on_for_its_tenant_everywhere(self):
        server = self.serve()
        operator = Operator(server)
        self.addCleanup(operator.close)
        partner = operator.write("POST", "/partners", {"slug": PARTNER, "name": "Nordwind"}, 201)
        tenant = operator.write("POST", "/tenants", {"slug": TENANT, "name": "Fjord", "plan": "business", "partnerId": partner["id"]}, 201)
        operator.write("POST", "/flags", {"key": "of_partner", "state": "targeted", "scope": {"partnerSlugs": [PARTNER]}}, 201)
        operator.write("POST", "/flags", {"key": "of_plan", "state": "targeted", "scope": {"plans": ["enterprise"]}}, 201)
        url = f"http://127.0.0.1:{server.port}"
        key, tenant_key = operator.key("server")["secret"], operator.key("tenant", TENANT)["secret"]
        for kind in ("node", "python", "rust"):
            self.follow(kind, kind, url=url, key=key)
        self.follow("browser", "browser", url=url, key=tenant_key, tenant=TENANT)

        expected = {"tenantId": tenant["id"], "tenantSlug": TENANT, "plan": "business", "partnerSlug": PARTNER}
        for driver in self.drivers:
            driver.connected()
            self.assertEqual(driver.ask("subject", slug=TENANT).get("subject"), expected, driver.name)
            self.assertEqual(driver.ask("subject", slug="no-such-tenant").get("code"), "unknown_tenant", driver.name)
            self.assertEqual(driver.ask("subject", slug="No slug").get("code"), "invalid_slug", driver.name)
        self.check_agreement(operator, of_partner=True, of_plan=False)

        operator.write("PATCH", f"/tenants/{TENANT}", {"plan": "enterprise"})
        began = time.monotonic()
        for driver in self.drivers:
            until(lambda driver=driver: driver.ask("subject", slug=TENANT)["subject"]["plan"] == "enterprise", f"{driver.name} follows", MAX_SECONDS)
        print(f"\nacknowledged → every client has the new plan: {(time.monotonic() - began) * 1e3:.0f} ms")
        self.check_agreement(operator, of_partner=True, of_plan=True)

        # Without the server, the last subject in memory is served.
        server.kill()
        for driver in self.drivers:
            self.assertEqual(driver.ask("subject", slug=TENANT)["subject"]["plan"], "enterprise", driver.name)

    def check_agreement(self, operator: Operator, **flags: bool):
        """Checks that every client gives the server's answers, which contain the given flags."""
        answers = operator.evaluated(TENANT)
        self.assertEqual({name: answers[name] for name in flags}, flags)
        for driver in self.drivers:
            def agrees(driver=driver):
                subject = driver.ask("subject", slug=TENANT)["subject"]
                return driver.ask("evaluate", subjects=[subject])["flags"] == [answers]

            until(agrees, f"{driver.name} gives the answers of the server", MAX_SECONDS)


if __name__ == "__main__":
    unittest.main()
