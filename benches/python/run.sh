#!/usr/bin/env bash
# Installs the wheel of sdk-python/dist and its peers in a new environment and runs the benchmarks.
set -euo pipefail
cd "$(dirname "$0")"

environment=../../target/python-benches
rm -rf "$environment"
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet -r requirements.txt ../../sdk-python/dist/dezky-*.whl
exec "$environment/bin/python" run.py "$@"
