#!/usr/bin/env bash
# One server and the packed clients of every SDK, end to end: about four minutes. What is packed comes from the dist/ of each, as `make sdks` leaves it.
# Usage: run.sh [TEST…], such as `run.sh test_agree`; all of them unless told otherwise. DEZKY_SERVER names the server's binary; SEED another order of faults.
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
cargo build --quiet --package dezky --all-features --example live --locked
cp "$target/debug/examples/live" "$installed/live"
# A copy: the binary may be built anew meanwhile.
cp "${DEZKY_SERVER:-$target/debug/dezky-server}" "$installed/dezky-server"
export DEZKY_SERVER=$installed/dezky-server DEZKY_INSTALLED_SDKS=$installed

cd "$here"
if [ $# -gt 0 ]; then
    exec python3 -m unittest "$@"
fi
exec python3 -m unittest discover
