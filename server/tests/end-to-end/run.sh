#!/usr/bin/env bash
# Runs one server with the packed clients of every SDK, in about four minutes. The packages come
# from the dist/ folder of each SDK, as `make sdks` leaves them,
# and the Rust client is built here.
# Usage: run.sh [TEST…], for example `run.sh test_agree`. The default is all tests.
# DEZKY_SERVER is the path of the server binary. SEED changes the order of faults.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
installed=$root/target/end-to-end

cd "$root"
rm -rf "$installed"
mkdir -p "$installed"
node sdk-node/tests/install.mjs "$installed/node"
node sdk-wasm/tests/install.mjs "$installed/wasm"
python3 -m venv "$installed/python"
"$installed/python/bin/pip" install --quiet --no-index --disable-pip-version-check sdk-python/dist/dezky-*.whl
# With its own features: with those of the whole workspace, tokio would keep sockets for signals.
cargo build --quiet --package dezky --all-features --example live --locked
cp "$target/debug/examples/live" "$installed/live"
# A copy, because a build may replace the binary during the run.
cp "${DEZKY_SERVER:-$target/debug/dezky-server}" "$installed/dezky-server"
export DEZKY_SERVER=$installed/dezky-server DEZKY_INSTALLED_SDKS=$installed

cd "$here"
if [ $# -gt 0 ]; then
    exec python3 -m unittest "$@"
fi
exec python3 -m unittest discover
