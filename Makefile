# Everything one does with this repository. `make help` lists it; each target is what a person would type.
#
# Parts live beside what they are about: libs/proto/proto.mk, helm/helm.mk, tests/conformance/conformance.mk.

# rustup puts cargo where not every shell looks.
export PATH := $(PATH):$(HOME)/.cargo/bin
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

DATABASE_SERVICES := booking membership payment marketing analytics
TEST_LOG := target/test.log

.PHONY: help run demo test bench fmt lint sqlx sqlx-check fmt-check test-rust checks

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build, and start the whole suite with a demo chain (Ctrl-C stops it)
	@cargo build -p meridian
	@cargo run --quiet -p meridian -- up

demo: ## take one visit through the gateway, step by step; starts the suite if it does not run
	@cargo build -p meridian
	@cargo run --quiet -p meridian -- demo

test: ## all checks and tests; the private servers of the tests are stopped at the end
	@status=0; \
	$(MAKE) --no-print-directory checks || status=$$?; \
	cargo run --quiet -p testkit -- stop || status=$$?; \
	if [ -f $(TEST_LOG) ]; then echo; grep -E '^(     Running|test result:|test .* FAILED|error: )' $(TEST_LOG) || true; fi; \
	if [ $$status = 0 ]; then echo "make test: all passed"; else echo "make test: FAILED" >&2; fi; \
	exit $$status

checks: fmt-check lint test-rust sqlx-check proto-check helm

fmt: ## format the code
	cargo fmt --all

fmt-check:
	cargo fmt --all --check

lint: ## clippy, warnings denied
	cargo clippy --workspace --all-targets --quiet -- -D warnings

# The private Postgres and Redis first: what is missing is installed then, and not in the middle of a test.
test-rust:
	@rm -f $(TEST_LOG) && mkdir -p $(dir $(TEST_LOG))
	cargo run --quiet -p testkit -- start
	cargo test --workspace --no-fail-fast 2>&1 | tee $(TEST_LOG)

bench: ## measure, as a table and as JSON (release build)
	@cargo build --release -p meridian
	@cargo run --quiet --release -p meridian -- bench $(BENCH)

# What `cargo sqlx prepare` does, without it: each service is compiled against an empty database with its own tables, and
# the query macros write down what they learn. Needs no other service to compile.
define LEARN_QUERIES
for service in $(DATABASE_SERVICES); do \
	learned=$(CURDIR)/target/sqlx/$$service; \
	rm -rf $$learned && mkdir -p $$learned; \
	url=$$(cargo run --quiet -p testkit -- schema $$service); \
	touch services/$$service/src/lib.rs; \
	env SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$$learned "$${service^^}_DATABASE_URL=$$url" \
		cargo check --quiet -p $$service --all-targets; \
	touch services/$$service/src/lib.rs; \
done
endef

sqlx: ## write services/*/.sqlx anew, after a query or a migration has changed
	@$(LEARN_QUERIES); \
	for service in $(DATABASE_SERVICES); do \
		rm -rf services/$$service/.sqlx && cp -r target/sqlx/$$service services/$$service/.sqlx; \
		echo "services/$$service/.sqlx: $$(ls target/sqlx/$$service | wc -l) queries"; \
	done

sqlx-check: ## drift of services/*/.sqlx
	@$(LEARN_QUERIES); \
	for service in $(DATABASE_SERVICES); do \
		diff -r target/sqlx/$$service services/$$service/.sqlx \
			|| { echo "services/$$service/.sqlx has drifted: run make sqlx" >&2; exit 1; }; \
	done; \
	echo "services/*/.sqlx: no drift"

include libs/proto/proto.mk
include helm/helm.mk
-include tests/conformance/conformance.mk
