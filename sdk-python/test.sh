#!/usr/bin/env bash
# Tests the wheel of dist/ in a new virtual environment: unit tests, conformance, random cases.
# `make build` builds the runner.
set -euo pipefail
cd "$(dirname "$0")/.."

wheel=$(echo sdk-python/dist/dezky-*.whl)
rm -rf target/python-installed target/python-oldest
python3 -m venv target/python-installed
target/python-installed/bin/pip install --quiet -r sdk-python/requirements.txt "$wheel[openfeature]"
target/python-installed/bin/pytest --quiet -p no:cacheprovider sdk-python/tests

conformance() { target/debug/dezky-conformance "$@"; }
conformance --profile sdk -- target/python-installed/bin/python sdk-python/conformance/driver.py
python3 fixtures/oracle/differential.py --cases "${DIFFERENTIAL_CASES:-100000}" 2>/dev/null |
    conformance --stream -- target/python-installed/bin/python sdk-python/conformance/driver.py

# Tests the same wheel with the oldest supported Python.
oldest=$(command -v "$HOME"/.pyenv/versions/3.9.*/bin/python /usr/bin/python3.9 | head -n 1 || true)
if [ -n "$oldest" ]; then
    "$oldest" -m venv target/python-oldest
    target/python-oldest/bin/pip install --quiet --no-index "$wheel"
    conformance --profile sdk -- target/python-oldest/bin/python sdk-python/conformance/driver.py
else
    echo "Python 3.9 is not installed: the wheel was tested with $(python3 --version) only"
fi
