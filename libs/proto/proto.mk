# Targets for the protos; included by the top-level Makefile.
#
# The third-party protos and buf live in the ignored folder .tools. Only generating and checking needs them:
# the generated code is committed, so an ordinary build needs neither.

GOOGLE_PROTOS_VERSION := 1.76.0
VALIDATE_PROTO_VERSION := 0.6.0
BUF_VERSION := 1.75.0

TOOLS := .tools
PROTO_TOOLS := $(TOOLS)/proto
# The stamps are in the folders that they speak of, so that another version, or a removed folder, is fetched again.
PROTO_STAMP := $(PROTO_TOOLS)/.fetched-$(GOOGLE_PROTOS_VERSION)-$(VALIDATE_PROTO_VERSION)
BUF_STAMP := $(TOOLS)/buf/.fetched-$(BUF_VERSION)
BUF := $(TOOLS)/buf/node_modules/.bin/buf
# buf runs in the root, since the modules in its configuration must be below the working directory.
BUF_CONFIG := --config proto/buf.yaml

# What can be fetched here. Checks that need what cannot are named as skipped; all else runs.
HAS_PIP := $(shell python3 -c 'import importlib.util as u; print("yes" if u.find_spec("pip") else "")' 2>/dev/null)
HAS_NPM := $(shell command -v npm)
PROTO_NEEDS := $(if $(HAS_PIP),$(PROTO_STAMP)) $(if $(HAS_NPM),$(BUF_STAMP))

.PHONY: tools proto-tools proto proto-check proto-drift proto-lint proto-format proto-breaking

tools: proto-tools

proto-tools: $(PROTO_NEEDS) ## fetch the third-party protos and buf into .tools
	@[ -n "$(HAS_PIP)" ] || [ -f $(PROTO_STAMP) ] || echo "skipped: third-party protos (python3 with pip not found)"
	@[ -n "$(HAS_NPM)" ] || [ -f $(BUF_STAMP) ] || echo "skipped: buf (npm not found)"

# A wheel and a crate are only archives here: nothing of them is built or run.
$(PROTO_STAMP):
	@[ -n "$(HAS_PIP)" ] || { echo "the google protos come from PyPI: install python3 with pip (apt install python3-pip)" >&2; exit 1; }
	@rm -rf $(PROTO_TOOLS) $(TOOLS)/fetch && mkdir -p $(PROTO_TOOLS)/buf/validate $(TOOLS)/fetch/src
	python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --no-compile \
		--target $(TOOLS)/fetch/python googleapis-common-protos==$(GOOGLE_PROTOS_VERSION)
	@cd $(TOOLS)/fetch/python && for folder in api rpc type; do \
		mkdir -p $(CURDIR)/$(PROTO_TOOLS)/google/$$folder && cp google/$$folder/*.proto $(CURDIR)/$(PROTO_TOOLS)/google/$$folder/; done
	@printf '%s\n' '[workspace]' '[package]' 'name = "fetch"' 'version = "0.0.0"' 'edition = "2024"' '[dependencies]' \
		'prost-protovalidate-types = { version = "=$(VALIDATE_PROTO_VERSION)", default-features = false }' > $(TOOLS)/fetch/Cargo.toml
	@touch $(TOOLS)/fetch/src/lib.rs
	cargo vendor --quiet --manifest-path $(TOOLS)/fetch/Cargo.toml $(TOOLS)/fetch/vendor > /dev/null
	@cp $(TOOLS)/fetch/vendor/prost-protovalidate-types/proto/buf/validate/validate.proto $(PROTO_TOOLS)/buf/validate/
	@rm -rf $(TOOLS)/fetch && touch $@

$(BUF_STAMP):
	@rm -rf $(TOOLS)/buf && mkdir -p $(TOOLS)/buf
	npm install --silent --no-audit --no-fund --no-save --prefix $(TOOLS)/buf @bufbuild/buf@$(BUF_VERSION)
	@touch $@

proto: $(PROTO_STAMP) ## generate libs/proto/src/gen from proto/
	cargo run --quiet -p codegen

proto-check: proto-drift proto-lint proto-format proto-breaking ## drift of the generated code, buf lint, format and breaking

proto-drift proto-lint proto-format proto-breaking: $(PROTO_NEEDS)

proto-drift:
	@if [ -f $(PROTO_STAMP) ]; then echo "codegen --check"; cargo run --quiet -p codegen -- --check; \
	else echo "skipped: drift of the generated code (python3 with pip not found)"; fi

proto-lint:
	@if [ ! -x $(BUF) ]; then echo "skipped: buf lint (npm not found)"; \
	elif [ ! -f $(PROTO_STAMP) ]; then echo "skipped: buf lint (python3 with pip not found)"; \
	else echo "buf lint"; $(BUF) lint proto $(BUF_CONFIG); fi

proto-format:
	@if [ ! -x $(BUF) ]; then echo "skipped: buf format (npm not found)"; \
	elif [ ! -f $(PROTO_STAMP) ]; then echo "skipped: buf format (python3 with pip not found)"; \
	else echo "buf format"; $(BUF) format proto $(BUF_CONFIG) --diff --exit-code; fi

# The protos of the main branch, or of the last commit when this is the main branch, are what must not break.
proto-breaking:
	@if [ ! -x $(BUF) ]; then echo "skipped: buf breaking (npm not found)"; exit 0; fi; \
	if [ ! -f $(PROTO_STAMP) ]; then echo "skipped: buf breaking (python3 with pip not found)"; exit 0; fi; \
	base=$$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse --verify --quiet HEAD); \
	if [ -n "$$base" ] && [ "$$base" = "$$(git rev-parse HEAD)" ] && git diff --quiet HEAD -- proto 2>/dev/null; then \
		base=$$(git rev-parse --verify --quiet HEAD^ || true); fi; \
	if [ -z "$$base" ] || [ -z "$$(git ls-tree -r --name-only $$base -- proto | grep '\.proto$$')" ]; then \
		echo "buf breaking: no earlier proto to compare with"; exit 0; fi; \
	rm -rf $(TOOLS)/base && mkdir -p $(TOOLS)/base/$(TOOLS) && git archive $$base proto | tar -x -C $(TOOLS)/base && \
	cp -r $(PROTO_TOOLS) $(TOOLS)/base/$(TOOLS)/proto && \
	echo "buf breaking against $$base" && \
	(cd $(TOOLS)/base && $(CURDIR)/$(BUF) build proto $(BUF_CONFIG) -o ../base.binpb) && \
	$(BUF) breaking proto $(BUF_CONFIG) --against $(TOOLS)/base.binpb
