# `make test` is everything that must hold, and what CI runs. `make check` is the quick part of it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2
FUZZ_SECONDS ?= 20
FUZZ_TARGETS := \
	access \
	edits \
	fetch \
	http \
	key_set \
	log \
	names \
	snapshot \
	stream \
	token \

ABUSE_SECONDS ?= 600

DIFFERENTIAL_CASES ?= 200000
SDK_DIFFERENTIAL_CASES ?= 100000

PORT ?= 7070

.PHONY: help serve check test bench format lint deny unit conformance differential oracle vectors wasm node python tools sdks server end-to-end fuzz abuse

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

serve: ## The server for trying things out, with an identity provider and sample data of its own: 127.0.0.1:7070
	@cargo run -q --release --locked -p dezky-server --features dev -- serve --dev --listen 127.0.0.1:$(PORT) --data target/dezky-dev

check: format lint deny unit ## Format, lints, dependencies, tests: the quick part

test: check fuzz oracle differential sdks server end-to-end ## Everything, as CI runs it

bench: wasm node python ## The tables of benchmarks, peers beside ours in one run
	@(cd benches && cargo run --release --locked)
	benches/http/edge.sh
	(cd benches/http && cargo run --release --locked)
	(cd benches/node && npm ci --no-audit --no-fund && node bench.mjs)
	benches/python/run.sh

format:
	@for workspace in . fuzz benches benches/http server/tests/ofrep/rust; do
		cargo fmt --all --check --manifest-path $$workspace/Cargo.toml
	done

lint:
	@cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	cargo clippy -p dezky-core --all-targets --locked -- -D warnings
	cargo clippy -p dezky-server --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

deny:
	@cargo deny --version 2>/dev/null | grep -q ' $(CARGO_DENY)$$' || cargo install --debug --locked --version $(CARGO_DENY) cargo-deny
	cargo deny --locked --log-level error check licenses bans sources
	if cargo deny --log-level off fetch db 2>/dev/null; then
		cargo deny --locked --log-level error check --disable-fetch advisories
	else
		echo "advisories: their database cannot be reached from here"
	fi

unit:
	@cargo test --workspace --all-features --locked
	cargo test -p dezky-core --locked

conformance: ## The conformance cases, against core
	@cargo build -p dezky-fixtures --locked
	cargo run -q -p dezky-fixtures --bin dezky-conformance --locked -- --profile core -- target/debug/dezky-core-driver

differential: ## Random cases and the whole authorization table, against core
	@cargo build -p dezky-fixtures --locked
	python3 fixtures/oracle/differential.py --cases $(DIFFERENTIAL_CASES) \
		| cargo run -q -p dezky-fixtures --bin dezky-conformance --locked -- --stream -- target/debug/dezky-core-driver

oracle:
	@python3 -m unittest discover -s fixtures/oracle -p 'test_*.py'
	python3 fixtures/oracle/generate.py --check

vectors: ## Write the conformance cases anew from the oracle
	@python3 fixtures/oracle/generate.py

tools: # What the SDKs are built and tried with, where it is not there yet
	@rustup target add wasm32-unknown-unknown
	missing=$$(for program in chromium strace openssl; do command -v $$program >/dev/null || echo $$program; done)
	if [ -n "$$missing" ]; then
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo)
		$$as_root apt-get update -qq
		$$as_root apt-get install -y -qq $$missing
	fi

wasm: tools ## @dezky/sdk-wasm, packed into sdk-wasm/dist/
	@cd sdk-wasm
	npm ci --no-audit --no-fund
	npm run check
	npm run build

node: wasm ## @dezky/sdk-node and its binary for this platform, packed into sdk-node/dist/
	@cd sdk-node
	npm ci --no-audit --no-fund
	npm run check
	npm run build

python: ## The wheel, in sdk-python/dist/
	@sdk-python/build.sh

sdks: wasm node python ## Every package as it is published: its tests, every conformance case, random cases
	@cargo build -p dezky-fixtures --locked
	(cd sdk-wasm && npm test)
	(cd sdk-node && npm test)
	sdk-python/test.sh
	rm -rf target/sdk
	node sdk-node/tests/install.mjs target/sdk/node
	node sdk-wasm/tests/install.mjs target/sdk/wasm
	python3 fixtures/oracle/differential.py --cases $(SDK_DIFFERENTIAL_CASES) > target/sdk/cases
	for engine in native wasm; do
		export DEZKY_ENGINE=$$engine
		target/debug/dezky-conformance --profile sdk -- node sdk-wasm/conformance/driver.mjs target/sdk/node/under-test.mjs
		target/debug/dezky-conformance --stream -- node sdk-wasm/conformance/driver.mjs target/sdk/node/under-test.mjs < target/sdk/cases
	done
	target/debug/dezky-conformance --stream -- node sdk-wasm/conformance/driver.mjs target/sdk/wasm/under-test.mjs < target/sdk/cases
	node sdk-wasm/tests/mutate.mjs target/sdk/wasm
	if target/debug/dezky-conformance --stream -- node sdk-wasm/conformance/driver.mjs target/sdk/wasm/under-test.mjs \
		< target/sdk/cases > target/sdk/mutated 2>&1; then
		echo "one byte of the hash was changed in one runtime, and nobody noticed"
		exit 1
	fi
	# It must have answered, and wrongly: a driver that dies fails the run as well.
	tail -1 target/sdk/mutated | grep -E '^[0-9]+ cases differ$$'

server: tools ## The server against a real identity provider, OFREP's published clients, kill -9 and broken disks, and its own OpenAPI document
	@cargo build -p dezky-server --features dev --locked
	export DEZKY_SERVER=$$PWD/target/debug/dezky-server
	(cd server/tests/identity-provider && npm ci --no-audit --no-fund && npm test)
	server/tests/ofrep/run.sh
	python3 -m unittest discover -s server/tests/durability
	server/tests/schemathesis/run.sh

end-to-end: tools ## One server and the clients of every SDK, as `make sdks` packed them, over good networks and bad ones
	@cargo build -p dezky-server --features dev --locked
	server/tests/end-to-end/run.sh

fuzz: ## Every fuzz target for FUZZ_SECONDS, with a nightly toolchain
	@cargo +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
	cargo fuzz --version 2>/dev/null | grep -q ' $(CARGO_FUZZ)$$' || cargo install --debug --locked --version $(CARGO_FUZZ) cargo-fuzz
	for target in $(FUZZ_TARGETS); do
		mkdir -p target/fuzz-corpus/$$target
		cargo +nightly fuzz run --fuzz-dir fuzz $$target target/fuzz-corpus/$$target fuzz/seeds/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 -max_len=8192 2>&1 \
			| grep -v '# Uses:'
	done

abuse: ## A server under mixed abuse for ABUSE_SECONDS, on loopback; not part of `make test`
	@cargo build --release --locked -p dezky-server --features dev
	DEZKY_SERVER=$$PWD/target/release/dezky-server ABUSE_SECONDS=$(ABUSE_SECONDS) python3 server/tests/abuse/abuse.py
