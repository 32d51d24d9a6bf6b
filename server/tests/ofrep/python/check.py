"""openfeature-provider-ofrep with openfeature-sdk against a running server: every case of the scene whose file is given."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

ASKS = {
    "boolean": "get_boolean_details",
    "string": "get_string_details",
    "number": "get_float_details",
    "object": "get_object_details",
}


def ask(url, case):
    """What a client shows of a case."""
    headers = {"Authorization": f"Bearer {case['secret']}"}
    domain = case["secret"]
    if domain not in asked:
        asked.add(domain)
        api.set_provider_and_wait(OFREPProvider(url, headers_factory=lambda: headers), domain)
    attributes = dict(case["context"])
    context = EvaluationContext(attributes.pop("targetingKey", None), attributes)
    details = getattr(api.get_client(domain), ASKS[case["type"]])(case["flag"], case["default"], context)
    if details.error_code:
        return {"errorCode": details.error_code.value, "value": details.value}
    return {
        "value": details.value,
        "reason": details.reason.value,
        "variant": details.variant,
        "metadata": dict(details.flag_metadata),
    }


def main(path):
    """Asks everything; the number of wrong answers is what it ends with."""
    with open(path, encoding="utf-8") as file:
        scene = json.load(file)
    wrong = 0
    for case in scene["cases"]:
        shown = ask(scene["url"], case)
        if shown != case["expected"]:
            wrong += 1
            print(f"{case['name']}: shown {shown}, expected {case['expected']}", file=sys.stderr)
    print(f"{len(scene['cases'])} cases, {wrong} wrong")
    return 1 if wrong else 0


asked = set()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
