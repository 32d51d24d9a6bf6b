#!/usr/bin/env bash
# Builds Unleash Edge from the Rust registry into target/edge, where the benchmark looks for it.
# If the build fails, target/edge/absent holds the reason, which the report shows. The default
# features are stores for several instances (S3), which the measured requests do not use.
set -euo pipefail
cd "$(dirname "$0")"

version=20.1.0
minutes=${EDGE_MINUTES:-40}
root=$PWD/target/edge

if grep -qs "\"unleash-edge $version " "$root/.crates.toml"; then
	exit 0
fi
mkdir -p "$root"
echo "building unleash-edge $version, for $minutes minutes at most"
if timeout "${minutes}m" cargo install --locked --force --version "$version" --no-default-features \
	--root "$root" --target-dir "$root/build" unleash-edge > "$root/log" 2>&1; then
	rm -rf "$root/build" "$root/absent"
else
	code=$?
	reason=$(grep -m 1 '^error' "$root/log" || true)
	if [ "$code" = 124 ]; then
		reason="the build did not finish within $minutes minutes"
	fi
	echo "${reason:-cargo install failed}" > "$root/absent"
	echo "unleash-edge is absent: $(cat "$root/absent")"
fi
