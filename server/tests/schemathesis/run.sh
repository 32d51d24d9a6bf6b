#!/bin/sh
# Asks the server everything that its document lets one ask, and much that it does not; any answer that the document does not have is a failure.
# Usage: run.sh [EXAMPLES-PER-OPERATION] (10 unless told otherwise: some minutes in all). DEZKY_SERVER names the binary; else a built one is looked for.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
examples=${1:-10}
seed=${SEED:-20261}

server=${DEZKY_SERVER:-}
for built in "$target/release/dezky-server" "$target/debug/dezky-server"; do
    [ -n "$server" ] || { [ -x "$built" ] && server=$built; } || true
done
[ -n "$server" ] || { echo "no dezky-server under $target: build it with --features dev first" >&2; exit 2; }

venv=$root/target/schemathesis-venv
wanted=$(cat "$here/requirements.txt")
if [ "$(cat "$venv/installed" 2>/dev/null || true)" != "$wanted" ]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    printf '%s\n' "$wanted" >"$venv/installed"
fi

data=$(mktemp -d)
pid=
stop() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    rm -rf "$data"
}
trap stop EXIT
trap 'exit 130' INT TERM

# A copy: the binary may be built anew meanwhile.
cp "$server" "$data/dezky-server"
"$data/dezky-server" serve --dev --listen 127.0.0.1:0 --data "$data" --rate-limit 0 --failure-limit 0 --log-format json 2>"$data/log" &
pid=$!
url=
for _ in $(seq 100); do
    port=$(sed -n 's/.*"address":"127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$data/log" | head -n 1)
    [ -z "$port" ] || { url=http://127.0.0.1:$port; break; }
    sleep 0.1
done
[ -n "$url" ] || { cat "$data/log" >&2; exit 2; }

token() {
    curl --silent --fail --noproxy '*' "$url/dev/token" --header 'content-type: application/json' --data "{\"persona\":\"$1\"}" |
        sed 's/.*"access_token":"\([^"]*\)".*/\1/'
}

# A machine key: a server's, made by the operator.
key() {
    curl --silent --fail --noproxy '*' "$url/keys" --header "Authorization: Bearer $(token operator)" \
        --header 'content-type: application/json' --data '{"name":"Asks everything","kind":"server"}' |
        sed 's/.*"secret":"\([^"]*\)".*/\1/'
}

# Streams are left out: they answer for as long as the reader stays, and here each would be read until the request is given up. The HTTP tests
# ask them.
# What is left out of the checks:
# - positive_data_acceptance: a request of the right form may still name what is not there, or a version that is past (412), or a value that core
#   judges by more than a schema says (a domain, a time that is before another).
# - negative_data_rejection: authorization comes before the form of a request, and a list's filter may be any text at all.
ask() {
    persona=$1
    shift
    echo "== as $persona $*"
    case $persona in
    key) credential=$(key) ;;
    *) credential=$(token "$persona") ;;
    esac
    [ -n "$credential" ] || { echo "no credential for $persona" >&2; return 1; }
    (cd "$data" && "$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$url/openapi.json" \
        --header "Authorization: Bearer $credential" \
        --exclude-path-regex '/stream$' \
        --checks all --exclude-checks "positive_data_acceptance,negative_data_rejection${left_out:+,$left_out}" \
        --phases examples,coverage,fuzzing --max-examples "$examples" --seed "$seed" \
        --continue-on-failure --workers 1 --warnings off --no-color "$@")
}

result=0
left_out=
ask operator || result=1
ask member || result=1
# Machine keys are for delivery: what else there is refuses them early, and with every answer that the document has.
ask key || result=1
# Once more, so that writes get past their condition: with it always given, it is never missing.
left_out=missing_required_header
ask operator --header 'If-Match: *' || result=1

# The server is still the one that was started, and what it wrote is whole.
if ! kill -0 "$pid" 2>/dev/null; then
    wait "$pid" && ended=0 || ended=$?
    echo "the server ended by itself, with $ended:" >&2
    tail -n 20 "$data/log" >&2
    exit 1
fi
kill "$pid"
wait "$pid" || true
pid=
"$server" verify-log --data "$data" || result=1
exit "$result"
