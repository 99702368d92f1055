# Checks of the chart, without a cluster. Included by the Makefile; also runs alone: make -f helm/helm.mk helm
# Where Python or the packages can't be had the checks are named as skipped; with CI=true that is a failure.

PYTHON ?= python3
HELM_ENV := .tools/py
HELM_READY := $(HELM_ENV)/.helm-ready

.PHONY: helm helm-tools

helm: ## Lint, render and validate the chart
	@if ! command -v $(PYTHON) >/dev/null 2>&1; then \
		echo "skipped: helm checks ($(PYTHON) not found)"; test "$$CI" != true; exit; \
	fi; \
	if ! $(MAKE) --silent --no-print-directory -f helm/helm.mk helm-tools; then \
		echo "skipped: helm checks (Python packages of helm/requirements.txt could not be installed)"; test "$$CI" != true; exit; \
	fi; \
	if test -x $(HELM_ENV)/bin/python; then $(HELM_ENV)/bin/python -B helm/check.py; \
	else PYTHONPATH=$(HELM_ENV)/site $(PYTHON) -B helm/check.py; fi

helm-tools: $(HELM_READY) ## Install what the chart's checks need into .tools

# Debian splits venv off into a package of its own; without it the packages go into a plain folder.
$(HELM_READY): helm/requirements.txt
	@mkdir -p $(HELM_ENV)
	@if test -x $(HELM_ENV)/bin/pip || $(PYTHON) -m venv $(HELM_ENV) >/dev/null 2>&1; then \
		$(HELM_ENV)/bin/pip install --quiet --disable-pip-version-check -r helm/requirements.txt; \
	else \
		rm -rf $(HELM_ENV)/bin; \
		$(PYTHON) -m pip install --quiet --disable-pip-version-check --target $(HELM_ENV)/site -r helm/requirements.txt; \
	fi
	@touch $@
