# Everything that a developer or operator does here. `make help` lists it.

SHELL := /bin/bash
# cargo is found even where only its own folder has it.
export PATH := $(PATH):$(HOME)/.cargo/bin
MERIDIAN := target/debug/meridian

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@echo 'make TARGET, where TARGET is one of'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort -u | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

include libs/proto/proto.mk
include helm/helm.mk
include tests/conformance/conformance.mk
include tests/bench/bench.mk

.PHONY: build run down reset demo
build: ## Build the executable
	cargo build --locked -p meridian

run: build ## Set up what is missing, then start the whole suite with a demo chain; Ctrl-C stops it
	$(MERIDIAN) up

down: build ## Stop a running suite
	$(MERIDIAN) down

reset: build ## Delete the private data folder
	$(MERIDIAN) reset --yes

demo: build ## Drive one visit through the gateway; starts the suite if it doesn't run, and stops what it started
	$(MERIDIAN) demo

.PHONY: fmt fmt-check lint unit race mutate fuzz sim acceptance test
fmt: ## Format the code
	cargo fmt --all

fmt-check:
	cargo fmt --all --check

# SQLX_OFFLINE: queries are checked against the committed .sqlx, whatever database a developer has at hand.
lint: ## Clippy, warnings denied
	SQLX_OFFLINE=true cargo clippy --locked --workspace --all-targets -- -D warnings

# Runs cargo test with $(1). The private Postgres and Redis of the tests are started once for all and stopped at the end,
# whatever the outcome.
define cargo_test
@export SQLX_OFFLINE=true; \
cargo run --quiet --locked -p testkit -- start || exit 1; \
cargo test --locked $(1); outcome=$$?; \
cargo run --quiet --locked -p testkit -- stop; \
exit $$outcome
endef

unit: ## All tests of the code, over private Postgres and Redis
	$(call cargo_test,--workspace --no-fail-fast)

race: export RACE_SEEDS := $(SEEDS)
race: export RACE_SEED := $(SEED)
race: ## Only the race suite of booking: SEEDS=1000 for so many seeds, SEED=17 to replay one
	$(call cargo_test,-p booking --test it race:: -- --nocapture)

mutate: export PROPTEST_CASES := $(or $(CASES),100000)
mutate: ## Only the tests that feed odd bills and notices to their readers: CASES=1000000 for so many of each
	$(call cargo_test,-p payment -- panic mutated fuzz::)

# cargo install cargo-fuzz; rustup toolchain install nightly. What is found lies in services/payment/fuzz/artifacts.
fuzz: ## The same led by coverage (cargo-fuzz, nightly): SECONDS_EACH=600 for so long a target, TARGET=alipay_notice for one
	@cd services/payment/fuzz && for target in $(or $(TARGET),$(notdir $(wildcard services/payment/fuzz/seeds/*))); do \
		mkdir -p corpus/$$target && \
		cargo +nightly fuzz run --fuzz-dir . $$target corpus/$$target seeds/$$target -- \
			-max_total_time=$(or $(SECONDS_EACH),60) -max_len=16384 || exit 1; \
	done

sim: export SIM_SEEDS := $(SEEDS)
sim: export SIM_SEED := $(SEED)
sim: ## Only the simulations of money: SEEDS=5000 for so many seeds, SEED=17 to replay one
	$(call cargo_test,-p payment -- simulation:: ledger::model:: stored_value::model:: by_chance::)

acceptance: build ## What a new user does: up, demo, a foreign client, down, up again
	@tests/acceptance.sh

# The tests of the code come last, so that their runner has the last word.
test: fmt-check lint proto-check helm sqlx-check acceptance unit ## Everything that must hold: format, lints, protos, chart, queries, acceptance, tests

.PHONY: sqlx sqlx-check
sqlx: ## Write the checked queries (.sqlx) of every service anew
	@libs/pg/sqlx.sh write

sqlx-check: ## Fail if the committed queries differ from the code or the migrations
	@libs/pg/sqlx.sh check
