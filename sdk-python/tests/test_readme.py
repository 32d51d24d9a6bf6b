"""Tests of the examples in the README, which run in one namespace, in order."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_examples_run(capsys):
    examples = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    names = {}
    for example in examples:
        exec(example, names)
    names["api"].shutdown()
    assert len(examples) == 4
    assert capsys.readouterr().out == "jmap_native_v2 is on: in_rollout\n"


def test_the_examples_that_need_a_server_compile():
    examples = re.findall(r"^```python network\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    for example in examples:
        compile(example, str(README), "exec")
    assert len(examples) == 2
