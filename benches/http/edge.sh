#!/usr/bin/env bash
# Unleash Edge, built from the Rust registry into target/edge, where this program looks for it. Where that fails, the reason is left beside it, and
# the table says so. Its default features are stores for many instances (S3); no request of ours meets them.
set -euo pipefail
cd "$(dirname "$0")"

version=20.1.0
minutes=${EDGE_MINUTES:-40}
root=$PWD/target/edge

if grep -qs "\"unleash-edge $version " "$root/.crates.toml"; then
	exit 0
fi
mkdir -p "$root"
echo "unleash-edge $version is being built, for $minutes minutes at most"
if timeout "${minutes}m" cargo install --locked --force --version "$version" --no-default-features \
	--root "$root" --target-dir "$root/build" unleash-edge > "$root/log" 2>&1; then
	rm -rf "$root/build" "$root/absent"
else
	code=$?
	reason=$(grep -m 1 '^error' "$root/log" || true)
	if [ "$code" = 124 ]; then
		reason="it was not built within $minutes minutes"
	fi
	echo "${reason:-cargo install has failed}" > "$root/absent"
	echo "unleash-edge is absent: $(cat "$root/absent")"
fi
