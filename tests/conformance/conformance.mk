# A foreign client against the running suite. Included by the Makefile; also runs alone:
# make -f tests/conformance/conformance.mk conformance CONFORMANCE_ARGS='--http http://127.0.0.1:8080'
# Where Python or the packages can't be had it is named as skipped; with CI=true that is a failure.

CONFORMANCE_ARGS ?=

.PHONY: conformance

conformance: ## Book as a Python client that knows only addresses (the suite must run)
	@tests/conformance/run.sh $(CONFORMANCE_ARGS)
