#!/bin/sh
# Tests the published OFREP clients in Node, a browser, Python and Rust against the server, and
# every answer against the published document.
# DEZKY_SERVER is the path of the server binary. The default is a build in the target directory.
# The Rust client is a binary of the workspace: `make build` first.
# CHROMIUM is the path of the browser. The default is Debian's path.
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

exec npm test
