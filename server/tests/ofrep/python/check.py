"""Checks openfeature-provider-ofrep against a running server: all cases of a scene file."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

METHODS = {
    "boolean": "get_boolean_details",
    "string": "get_string_details",
    "number": "get_float_details",
    "object": "get_object_details",
}


def evaluate(url, case):
    """Returns the result of the client for a case."""
    headers = {"Authorization": f"Bearer {case['secret']}"}
    domain = case["secret"]
    if domain not in registered_domains:
        registered_domains.add(domain)
        api.set_provider_and_wait(OFREPProvider(url, headers_factory=lambda: headers), domain)
    attributes = dict(case["context"])
    context = EvaluationContext(attributes.pop("targetingKey", None), attributes)
    details = getattr(api.get_client(domain), METHODS[case["type"]])(case["flag"], case["default"], context)
    if details.error_code:
        return {"errorCode": details.error_code.value, "value": details.value}
    return {
        "value": details.value,
        "reason": details.reason.value,
        "variant": details.variant,
        "metadata": dict(details.flag_metadata),
    }


def main(path):
    """Checks every case. Returns 1 if any result is wrong, else 0."""
    with open(path, encoding="utf-8") as file:
        scene = json.load(file)
    wrong = 0
    for case in scene["cases"]:
        result = evaluate(scene["url"], case)
        if result != case["expected"]:
            wrong += 1
            print(f"{case['name']}: got {result}, expected {case['expected']}", file=sys.stderr)
    print(f"{len(scene['cases'])} cases, {wrong} wrong")
    return 1 if wrong else 0


registered_domains = set()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
