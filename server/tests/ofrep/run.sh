#!/bin/sh
# The clients of OFREP that others publish, in Node, a browser, Python and Rust, against the server, and every answer against the published document.
# DEZKY_SERVER names the binary; else the one that was built is taken. CHROMIUM is where the browser is, unless where Debian puts it.
set -eu

cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)

npm ci --no-audit --no-fund

venv=$root/target/ofrep-venv
wanted=$(cat python/requirements.txt)
if [ "$(cat "$venv/installed" 2>/dev/null || true)" != "$wanted" ]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r python/requirements.txt
    printf '%s\n' "$wanted" >"$venv/installed"
fi

# Not among the server's own: the client wants other features of the same crates, and each would undo the other's build.
CARGO_TARGET_DIR=$root/target/ofrep-rust cargo build --locked --manifest-path rust/Cargo.toml

exec npm test
