#!/usr/bin/env bash
# Builds the wheel into dist/ with the pinned tools, which are installed in target/python.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf target/python sdk-python/dist
python3 -m venv target/python
target/python/bin/pip install --quiet -r sdk-python/requirements.txt
target/python/bin/maturin build --quiet --release --locked --manifest-path sdk-python/Cargo.toml --out sdk-python/dist
