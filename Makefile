# The daily commands. `make demo` and `make test` do all of their set-up themselves.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR
FUZZER = $(abspath $(CARGO_TARGET_DIR))/fuzzer

.PHONY: help
help: ## Show the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: demo
demo: engine ## Build everything and show a year of generated traffic
	cargo build --release
	$(CARGO_TARGET_DIR)/release/passerby demo $(DEMO)

.PHONY: test
test: node engine chromium firefox proxies mailserver fuzzer tests/browser/node_modules beacon/node_modules ## Run every test
	cargo test
	fuzz/run.sh 60
	$(FUZZER)/bin/python tests/fuzz/fuzz.py $(abspath $(CARGO_TARGET_DIR))/debug/passerby 30
	cd tests/browser && PASSERBY_PROXIES=$(abspath $(CARGO_TARGET_DIR))/proxies PASSERBY_PROGRAM=$(abspath $(CARGO_TARGET_DIR))/debug/passerby npm run --silent test

# Fault runs as long as one has time for: `make faults ROUNDS=1000`, `make faults TEST=crashes SEED=7`. A round is a kill,
# a second of overload (TEST=overload), a minute of outage (TEST=outage), a second beside reports (TEST=reports_beside):
# these three only run when they are named, for a thousand rounds of outage are 16 hours.
LASTING = overload outage reports_beside
ROUNDS ?= 100
TRIALS ?= 100000
TEST ?=

.PHONY: faults
faults: engine proxies ## Try to break it for long: ROUNDS=n, TRIALS=n, TEST=name, SEED=n
	PASSERBY_FAULTS_ROUNDS=$(ROUNDS) $(if $(SEED),PASSERBY_FAULTS_SEED=$(SEED)) cargo test --test faults -- $(or $(TEST),$(LASTING:%=--skip %::)) --nocapture
	$(if $(TEST),,PROPTEST_CASES=$(TRIALS) cargo test --lib spool)

.PHONY: fuzz
fuzz: engine fuzzer ## Fuzz the API by its own openapi.json, with new requests for five minutes
	cargo build
	FUZZ_SEED=$$RANDOM $(FUZZER)/bin/python tests/fuzz/fuzz.py $(abspath $(CARGO_TARGET_DIR))/debug/passerby 300

# `make fuzz-targets DURATION=3600 TARGETS=parse_query`: fuzz/README.md.
DURATION ?= 600
TARGETS ?=

.PHONY: fuzz-targets
fuzz-targets: ## Fuzz what reads strangers' bytes, guided by coverage: DURATION=seconds, TARGETS=names
	fuzz/run.sh $(DURATION) $(TARGETS)

# Numbers to compare stay in $(CARGO_TARGET_DIR)/bench. `make bench SHORT=1` takes a minute, with the build of the tests.
BENCH = cargo bench $(if $(SHORT),--profile dev)
NUMBERS = $(CARGO_TARGET_DIR)/bench

.PHONY: bench
bench: engine ## Measure what a beacon costs, stage by stage and as a whole, what shipping it does, and how soon reports know of it
	@mkdir -p $(NUMBERS)
	$(BENCH) --bench stages -- --output-format bencher $(if $(SHORT),--warm-up-time 0.2 --measurement-time 0.5 --sample-size 10) | tee $(NUMBERS)/stages.txt
	$(BENCH) --bench collecting -- $(if $(SHORT),--rounds 1 --events 20000) | tee $(NUMBERS)/collecting.txt
	$(BENCH) --bench shipping -- $(if $(SHORT),--rounds 1 --events 20000 --batch 10000) | tee $(NUMBERS)/shipping.txt
	$(BENCH) --bench freshness -- $(if $(SHORT),--seconds 8 --rate 200) | tee $(NUMBERS)/freshness.txt

.PHONY: check
check: compiler beacon/node_modules dashboards/source/node_modules deploy/check/node_modules ## Check format, lints, documentation and what is built from sources here
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --all-targets -- -D warnings
	cargo clippy --manifest-path fuzz/Cargo.toml -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet
	npm run --silent --prefix beacon check
	npm run --silent --prefix dashboards/source check
	npm run --silent --prefix deploy/check check
	@if command -v cargo-deny >/dev/null; then cargo deny check; fi

.PHONY: engine
engine: ## Get the ClickHouse engine, unless it is here
	@deploy/engine/install.sh $(CARGO_TARGET_DIR)/debug $(CARGO_TARGET_DIR)/release $(CARGO_TARGET_DIR)/dist

.PHONY: node
node: ## Look whether Node.js is as new as the tests need it
	@tests/node.sh

.PHONY: chromium
chromium: ## Install Debian's Chromium for the browser tests, unless it is here
	@tests/browser/install-chromium.sh

.PHONY: firefox
firefox: ## Install Debian's Firefox for the browser tests, unless it is here
	@tests/browser/install-firefox.sh

.PHONY: proxies
proxies: ## Get Debian's nginx and Caddy for the browser tests, unless they are here
	@tests/browser/install-proxies.sh $(abspath $(CARGO_TARGET_DIR))/proxies

.PHONY: mailserver
mailserver: ## Get Debian's chasquid for the tests of mails, unless it is here
	@tests/it/notices/install-mailserver.sh $(abspath $(CARGO_TARGET_DIR))/mailserver

.PHONY: fuzzer
fuzzer: ## Install the fuzzer of the API, unless it is here
	@tests/fuzz/install.sh $(FUZZER)

.PHONY: compiler
compiler: ## Install Debian's C++ compiler for the fuzz targets, unless there is one
	@fuzz/install-compiler.sh

.PHONY: script
script: beacon/node_modules ## Build the page script after a change of its source
	npm run --silent --prefix beacon build

.PHONY: dashboards
dashboards: dashboards/source/node_modules ## Build Grafana's dashboards after a change of their sources
	npm run --silent --prefix dashboards/source build

.PHONY: screenshots
screenshots: node engine chromium tests/browser/node_modules ## Take a picture of every page, and the README's
	cargo build
	cd tests/browser && PASSERBY_PROGRAM=$(abspath $(CARGO_TARGET_DIR))/debug/passerby node screenshots.mjs

.PHONY: data
data: ## Fetch the lists of browsers and bots anew
	node src/enrich/data/update.mjs

%/node_modules: %/package-lock.json
	npm ci --prefix $* --no-progress --loglevel=error
	@touch $@
