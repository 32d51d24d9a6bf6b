#!/usr/bin/env bash
# Puts the wheel in ../../sdk-python/dist and its peers into a fresh virtual environment and prints the table of benchmarks.
set -euo pipefail
cd "$(dirname "$0")"

environment=../../target/python-benches
rm -rf "$environment"
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet -r requirements.txt ../../sdk-python/dist/dezky-*.whl
exec "$environment/bin/python" run.py "$@"
