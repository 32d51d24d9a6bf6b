# `make test` runs every check, as CI does. `make check` is the quick part.
#
# Each step is a target, so it also runs alone. `make test` runs steps side by side: those that wait
# for timers and networks beside those that compile. `.ci/step` records how long each takes.
SHELL := .ci/step
.SHELLFLAGS = $@
.ONESHELL:

CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2

# One selection of packages and features for every debug build, so that nothing compiles twice.
EVERYTHING := --workspace --all-features --locked

FUZZ_SECONDS ?= 20
FUZZ_TARGETS := access edits fetch http key_set log names snapshot stream token

ABUSE_SECONDS ?= 600

DIFFERENTIAL_CASES ?= 200000
SDK_DIFFERENTIAL_CASES ?= 100000

PORT ?= 7070

JOBS ?= 4

# In the order in which they start. A step that others wait for comes early.
STEPS := \
	format prose oracle \
	build wasm python node \
	unit doc-tests server-identity-provider server-ofrep server-durability server-schemathesis \
	conformance differential lint \
	test-wasm test-node test-python test-packages end-to-end \
	deny fuzz

.PHONY: help serve check test steps bench format prose lint deny build unit doc-tests \
	conformance differential oracle vectors libraries wasm node python tools sdks test-wasm test-node \
	test-python test-packages server server-identity-provider server-ofrep server-durability \
	server-schemathesis end-to-end fuzz abuse

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) \
		| sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

serve: ## The server with sample data and its own identity provider, on 127.0.0.1:7070
	@cargo run -q --release --locked -p dezky-server --features dev -- \
		serve --dev --listen 127.0.0.1:$(PORT) --data target/dezky-dev

check: format prose lint deny unit doc-tests ## Format, prose, lints, tests: the quick part

test: ## Every step, as CI runs it
	@mkdir -p target
	export DEZKY_STEPS=$$PWD/target/steps
	rm -f "$$DEZKY_STEPS"
	status=0
	# First, because the builds use ccache if it is installed.
	$(MAKE) --no-print-directory tools
	$(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync=target $(STEPS) || status=$$?
	.ci/steps-table "$$DEZKY_STEPS" $$SECONDS $$status
	exit $$status

bench: wasm node python ## The benchmark tables, peers beside ours in one run
	@(cd benches && cargo run --release --locked)
	benches/http/edge.sh
	(cd benches/http && cargo run --release --locked)
	(cd benches/node && npm ci --no-audit --no-fund && node bench.mjs)
	benches/python/run.sh

format:
	@for workspace in . fuzz benches benches/http; do
		cargo fmt --all --check --manifest-path $$workspace/Cargo.toml
	done

prose: ## Line lengths, doc comments, and names in documents
	@.ci/prose.py

lint: build
	@cargo clippy $(EVERYTHING) --all-targets -- -D warnings
	cargo clippy --workspace --locked -- -D warnings
	cargo clippy -p dezky-core --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(EVERYTHING) --no-deps

deny:
	@cargo deny --version 2>/dev/null | grep -q ' $(CARGO_DENY)$$' \
		|| cargo install --debug --locked --version $(CARGO_DENY) cargo-deny
	cargo deny --locked --log-level error check licenses bans sources
	if cargo deny --log-level off fetch db 2>/dev/null; then
		cargo deny --locked --log-level error check --disable-fetch advisories
	else
		echo "advisories: their database cannot be reached from here"
	fi

build: libraries ## Every binary, example and test, unoptimised
	@cargo build $(EVERYTHING) --all-targets

unit: build ## The Rust tests
	@if cargo nextest --version >/dev/null 2>&1; then
		cargo nextest run $(EVERYTHING)
	else
		cargo test $(EVERYTHING) --all-targets
	fi
	cargo test -p dezky-core --all-targets --locked

doc-tests: build ## The examples in the Rust documentation
	@cargo test $(EVERYTHING) --doc

conformance: build ## The conformance cases, against core
	@target/debug/dezky-conformance --profile core -- target/debug/dezky-core-driver

differential: build ## Random cases and the whole authorization table, against core
	@python3 fixtures/oracle/differential.py --cases $(DIFFERENTIAL_CASES) \
		| target/debug/dezky-conformance --stream -- target/debug/dezky-core-driver

oracle: ## The oracle's own tests, and whether the cases are up to date
	@python3 -m unittest discover -s fixtures/oracle -p 'test_*.py'
	python3 fixtures/oracle/generate.py --check

vectors: ## Writes the conformance cases from the oracle
	@python3 fixtures/oracle/generate.py

tools: # Installs what builds and tests need, where it is missing
	@rustup target add wasm32-unknown-unknown
	missing=$$(for program in ccache chromium openssl strace; do
		command -v $$program >/dev/null || echo $$program
	done)
	if [ -n "$$missing" ]; then
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo)
		$$as_root apt-get update -qq
		$$as_root apt-get install -y -qq $$missing
	fi

libraries: # The C libraries, before the builds of several profiles need them at the same time
	@cargo build --locked -p aws-lc-sys -p libsqlite3-sys

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

python: libraries ## The wheel, in sdk-python/dist/
	@sdk-python/build.sh

sdks: test-wasm test-node test-python test-packages ## The packages as they are published: tests, conformance, random cases

test-wasm: wasm build
	@cd sdk-wasm
	npm test

test-node: node build
	@cd sdk-node
	npm test

test-python: python build
	@sdk-python/test.sh

test-packages: node build
	@rm -rf target/sdk
	node sdk-node/tests/install.mjs target/sdk/node
	node sdk-wasm/tests/install.mjs target/sdk/wasm
	python3 fixtures/oracle/differential.py --cases $(SDK_DIFFERENTIAL_CASES) > target/sdk/cases
	node=target/sdk/node/under-test.mjs
	wasm=target/sdk/wasm/under-test.mjs
	conformance() { target/debug/dezky-conformance "$${@:2}" -- node sdk-wasm/conformance/driver.mjs $$1; }
	for engine in native wasm; do
		export DEZKY_ENGINE=$$engine
		conformance $$node --profile sdk
		conformance $$node --stream < target/sdk/cases
	done
	conformance $$wasm --stream < target/sdk/cases
	node sdk-wasm/tests/mutate.mjs target/sdk/wasm
	if conformance $$wasm --stream < target/sdk/cases > target/sdk/mutated 2>&1; then
		echo "one byte of the hash was changed in one runtime, and no case differs"
		exit 1
	fi
	# The run must end with wrong answers. A driver that dies fails the run as well.
	tail -1 target/sdk/mutated | grep -E '^[0-9]+ cases differ$$'

server: server-identity-provider server-ofrep server-durability server-schemathesis ## The server: a real identity provider, OFREP's clients, kill -9, broken disks, its OpenAPI document

export DEZKY_SERVER ?= $(CURDIR)/target/debug/dezky-server

server-identity-provider: tools build
	@cd server/tests/identity-provider
	npm ci --no-audit --no-fund
	npm test

server-ofrep: tools build
	@server/tests/ofrep/run.sh

server-durability: tools build
	@python3 -m unittest discover -s server/tests/durability

server-schemathesis: build
	@server/tests/schemathesis/run.sh

end-to-end: tools wasm node python build ## One server and the packed clients of every SDK, over good networks and bad ones
	@server/tests/end-to-end/run.sh

fuzz: libraries ## Every fuzz target for FUZZ_SECONDS, with a nightly toolchain
	@cargo +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
	cargo fuzz --version 2>/dev/null | grep -q ' $(CARGO_FUZZ)$$' \
		|| cargo install --debug --locked --version $(CARGO_FUZZ) cargo-fuzz
	cargo +nightly fuzz build --fuzz-dir fuzz
	fuzz() {
		mkdir -p target/fuzz-corpus/$$1
		cargo +nightly fuzz run --fuzz-dir fuzz $$1 target/fuzz-corpus/$$1 fuzz/seeds/$$1 \
			-- -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 -max_len=8192 2>&1 \
			| grep -v '# Uses:'
	}
	export -f fuzz
	printf '%s\n' $(FUZZ_TARGETS) | xargs -P 2 -I{} bash -euo pipefail -c 'fuzz {}'

abuse: ## A server under mixed abuse for ABUSE_SECONDS, on loopback; not part of `make test`
	@cargo build --release --locked -p dezky-server --features dev
	export DEZKY_SERVER=$$PWD/target/release/dezky-server
	ABUSE_SECONDS=$(ABUSE_SECONDS) python3 server/tests/abuse/abuse.py
