# anular: read, validate, submit, poll, report.
# A fresh machine needs Python 3.11 or newer and make; `make run` and `make test` do the rest, in any order, again and again.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

BIN := .venv/bin
# The stamps of the environment, each written last: an installation that was interrupted leaves none and is done again.
# The program's locked requirements, the program itself, and on top of them the test tools.
LOCKED := .venv/.locked
READY := .venv/.ready
TOOLS := .venv/.tools

# Scripts inside an environment know its folder by heart, so a folder that was moved or copied gets a new one, and so does
# an environment whose Python is gone.
ifneq ($(shell $(BIN)/python -c '' 2>/dev/null && cat $(LOCKED) 2>/dev/null),$(CURDIR))
.PHONY: $(LOCKED)
endif

# Which file `make run` takes; anything else the program reads comes from ANULAR_... variables.
FILE ?= sample_data/lote_mensual.xlsx
export FILE

# Test processes side by side, more than twice as many as cores: some always wait. Who has nothing left takes over what others have not begun.
WORKERS ?= 5

# What is tested on both kinds of database: in `make test` with a file each, in `make test-pg` with a database each. What
# takes minutes comes first: begun last it would be waited for by workers that have nothing left.
ON_A_SERVER := tests/storm/test_nights.py tests/storm/test_kill_storm.py tests/integration/ledger tests/integration/certificates tests/integration/office tests/integration/approvals tests/integration/queue tests/integration/steps tests/integration/evidence/test_forged.py tests/storm/test_together.py \
	tests/storm/test_crash_points.py tests/storm/test_server.py tests/storm/test_copy_crash.py tests/storm/test_workers.py \
	tests/storm/test_fleet.py tests/storm/test_watch_queue.py tests/storm/test_watch_crash.py tests/storm/test_cut_off.py \
	tests/storm/test_watch_queue_odd.py tests/storm/test_standby.py tests/storm/test_pooler.py \
	tests/storm/test_watch_cap.py tests/storm/test_approval_histories.py tests/storm/test_approval_crash.py \
	tests/web/test_batches.py tests/web/test_browser.py tests/web/test_certificates.py tests/web/test_doors.py \
	tests/web/test_factors.py tests/web/test_first_office.py tests/web/test_frame.py tests/web/test_gate.py \
	tests/web/test_help.py tests/web/test_hostile.py tests/web/test_latest.py tests/web/test_log_in.py \
	tests/web/test_moved.py tests/web/test_new_mail.py tests/web/test_open.py tests/web/test_opening.py \
	tests/web/test_parent.py tests/web/test_parity.py tests/web/test_passwords.py tests/web/test_people.py tests/web/test_proposals.py \
	tests/web/test_requirements.py tests/web/test_server.py tests/web/test_stranger.py tests/web/test_terminal.py \
	tests/storm/test_approval_queue.py tests/storm/test_sender.py tests/integration/wiring/test_credentials.py tests/storm/test_page_open.py

# What is tested with the interpreter's own SQLite too.
ON_ITS_OWN := tests/integration/ledger tests/integration/office tests/storm/test_crash_points.py tests/storm/test_kill_storm.py \
	tests/storm/test_storage_faults.py tests/storm/test_power_cuts.py

# How much `make simulate` lives through.
SEEDS ?= 1000
ROWS ?= 50

# The Python that an installed package has for itself.
PACKAGE_PYTHON ?= 3.13

# How long `make fuzz` tries each of its targets.
SECONDS ?= 60
FUZZER := .venv/.fuzzer

# What builds the documentation, apart from the program and its tests.
SITE := .venv/.docs

# A developer's own settings (credentials, production addresses) never reach the tests; nor does what forbids Python
# to keep what it has compiled: every worker and every command would compile all of it anew.
# The program refuses a ledger in memory, and many a system has /tmp there.
WITHOUT_SETTINGS := env -u PYTHONDONTWRITEBYTECODE TMPDIR="$${TMPDIR:-/var/tmp}" $$(env | sed -n 's/^\(ANULAR_[A-Z0-9_]*\)=.*/-u \1/p')

PYTEST := $(WITHOUT_SETTINGS) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
PYTEST_ON_A_SERVER := $(WITHOUT_SETTINGS) ANULAR_TEST_PG='$(ANULAR_TEST_PG)' .ci/postgres --or-skip $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m ''

.PHONY: help install tools run web test test-all test-unit test-windows test-sqlite test-pg test-pg-journeys mutants simulate histories storm fleet powercuts fuzz bench check sample-data docs pages pictures coverage lock package-windows package-linux package-macos clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# Where the test tools were, they come back, also into an environment that is made anew.
install: $(READY) $(if $(wildcard $(BIN)/pytest),$(TOOLS))  ## make .venv with what the program needs (PYTHON=... names the interpreter)
	@echo "ready: $(BIN)/anular"

tools: $(TOOLS)  ## add the test tools to .venv, as every target below does by itself
	@echo "ready: $(BIN)/pytest"

# Locks are added and never taken away: where the tools of an older lock are, all is made anew.
$(LOCKED): requirements.txt $(if $(wildcard $(TOOLS)),requirements-dev.txt)
	@.ci/venv requirements.txt "$(PYTHON)"
	@printf '%s\n' '$(CURDIR)' > $@

$(READY): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# The name under which an adding that was interrupted leaves its stamp: some tool may be there by half, so all is made anew.
$(TOOLS): $(READY) requirements-dev.txt
	@[ ! -e $@.begun ] || rm -rf .venv
	@[ -e $(READY) ] || $(MAKE) $(READY)
	@touch $@.begun
	@.ci/venv --add requirements-dev.txt
	@mv $@.begun $@

run: $(READY)  ## take FILE (default: the sample batch) through all five steps against the local sandbox
	@.ci/demo "$$FILE"

web: $(READY)  ## open the page at http://localhost:8420/ with sample people, against the local sandbox (Ctrl-C ends it)
	@.ci/web

test: $(TOOLS)  ## run the tests: the same at every run, in some minutes (ARGS=... goes to pytest)
	@.ci/deps
	@$(PYTEST) $(ARGS)

test-all: $(TOOLS)  ## run what `make test` leaves out: long, random (SEED=... repeats one), on PostgreSQL
	@.ci/deps
	@$(PYTEST) -m 'long or hypothesis' --hypothesis-profile=random $(ARGS)
	@$(MAKE) test-sqlite
	@$(MAKE) test-pg

test-unit: $(TOOLS)  ## run the unit tests only (ARGS=... goes to pytest)
	@$(WITHOUT_SETTINGS) $(BIN)/python -m pytest tests/unit $(ARGS)

# What only Windows shows; minutes, and root: no part of `make test-all`.
test-windows: $(TOOLS)  ## install the package and work with it under wine, in a chroot that it makes (Debian, root; some minutes)
	@rm -f build/anular-*-windows.zip && $(MAKE) package-windows
	@$(WITHOUT_SETTINGS) $(BIN)/python .ci/wine.py $(BIN)/python -m pytest -p no:xdist tests/windows $(ARGS)

test-sqlite: $(TOOLS)  ## run the tests of the ledger on the interpreter's own SQLite, as on a machine without pysqlite3
	@$(WITHOUT_SETTINGS) ANULAR_TEST_SQLITE=own $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ON_ITS_OWN) $(ARGS)

test-pg: $(TOOLS)  ## run the tests of the ledger on a real PostgreSQL server too (ANULAR_TEST_PG=... names one)
	@$(PYTEST_ON_A_SERVER) $(ON_A_SERVER) $(ARGS)

test-pg-journeys: $(TOOLS)  ## walk all journeys of the page in a browser with its ledger and office on a real PostgreSQL server (some minutes)
	@$(PYTEST_ON_A_SERVER) tests/web/test_journeys.py tests/web/test_access_journeys.py $(ARGS)

mutants: $(TOOLS)  ## seed the faults of tests/mutants into copies of the source, one by one, and see them caught (ARGS=M8: this one)
	@$(WITHOUT_SETTINGS) $(BIN)/python tests/mutants/seeded.py $(ARGS)

simulate: $(TOOLS)  ## live through 1,000 seeds of 50 rows in virtual time, with faults and deaths (SEEDS=50 ROWS=20 FROM=1)
	@$(WITHOUT_SETTINGS) SIM_SEEDS=$(SEEDS) SIM_ROWS=$(ROWS) SIM_FROM=$(FROM) SIM_SHARES=$(WORKERS) $(BIN)/python -m pytest -n $(WORKERS) -rP \
		tests/model/test_simulation.py -m long $(ARGS)

histories: $(TOOLS)  ## ledgers of every age put back after kills, 200 times, two companies' commands 50 times, two people 200 times (ON=.ci/postgres: on PostgreSQL)
	@$(WITHOUT_SETTINGS) HISTORIES=$(or $(HISTORIES),200) SEQUENCES=$(or $(SEQUENCES),50) $(ON) $(BIN)/python -m pytest -n $(WORKERS) -m long \
		tests/storm/test_histories.py tests/storm/test_companies.py tests/storm/test_approval_histories.py $(ARGS)

storm: $(TOOLS)  ## 2,000 SIGKILLs over 60,000 rows, half an hour (ARGS='--kills 200 --rows 6000 --seed 7': another one)
	@$(WITHOUT_SETTINGS) $(BIN)/python -m tests.storm.storm --json build/storm.json $(ARGS)

fleet: $(TOOLS)  ## 4 machines on one PostgreSQL, 12 credentials, 6,000 rows, plugs pulled at random (ARGS='--kills 50 --seed 7')
	@$(WITHOUT_SETTINGS) ANULAR_TEST_PG='$(ANULAR_TEST_PG)' .ci/postgres $(BIN)/python -m tests.storm.fleet --json build/fleet.json $(ARGS)

powercuts: $(TOOLS)  ## cut the power under the ledger 50,000 times, in a model of a disk (ARGS='--cuts 1000 --seed 7')
	@$(WITHOUT_SETTINGS) $(BIN)/python -m tests.storm.powercuts --cuts 50000 --json build/powercuts.json $(ARGS)

# A folder of its own, gone with .venv: the fuzzer is no part of what is tested, and not every machine has it.
$(FUZZER)/.ready: requirements-fuzz.txt $(TOOLS)
	@echo 'Installing the fuzzer (35 MB) ...' >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--upgrade --target $(FUZZER) -r requirements-fuzz.txt || { \
		echo 'anular: the fuzzer (atheris) could not be installed; it is there for CPython 3.11 to 3.14 on Linux x86-64 only, and this is' \
			"$$($(BIN)/python -c 'import platform as p; print(p.python_implementation(), p.python_version(), "on", p.system(), p.machine())')." \
			'On other machines the tests run the same targets without it: make test ARGS=tests/fuzz' >&2; exit 1; }
	@touch $@

fuzz: $(TOOLS) $(FUZZER)/.ready  ## try to break the readers of files and answers, a minute each (SECONDS=600 ARGS='--target csv')
	@$(WITHOUT_SETTINGS) PYTHONPATH=$(FUZZER) $(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $(ARGS)

bench: $(TOOLS)  ## measure beside floors and rivals, write docs/rendimiento.md (ARGS='submit rate': these; QUICK=1: smoke test)
	@$(WITHOUT_SETTINGS) $(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(ARGS)

check: $(TOOLS)  ## style, types (Linux, Windows, macOS), import contracts, security, known vulnerabilities of the locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 pipeline schemas
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin pipeline schemas
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml pipeline schemas
	@$(BIN)/python .ci/audit.py

sample-data: $(TOOLS)  ## rebuild the files of sample_data/
	$(BIN)/python sample_data/build.py

# A folder of its own, like the fuzzer's: none of it is seen by the program or by its tests.
$(SITE)/.ready: requirements-docs.txt $(LOCKED)
	@echo 'Installing what builds the site (28 MB) ...' >&2
	@rm -rf $(SITE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--no-compile --target $(SITE) -r requirements-docs.txt 2>.venv/.pip || { tail -n 10 .venv/.pip >&2; \
		echo 'anular: could not install requirements-docs.txt (see above; is the network reachable?)' >&2; exit 1; }
	@touch $@

docs: $(SITE)/.ready  ## build the site of the documentation into build/site; a broken link or a page that is nowhere fails
	@PYTHONPATH=$(SITE) NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean
	@echo 'ready: build/site/index.html'

pages: $(TOOLS)  ## write the pages and tables of docs/ that are made from the program anew
	@$(BIN)/python .ci/pages.py
	@$(BIN)/python tests/house/test_docs.py
	@$(BIN)/python tests/house/test_errores.py

pictures: $(TOOLS)  ## make the pictures of docs/img anew from the sample batch: terminal, workbook, page (LibreOffice, pdftoppm, chromium)
	@.ci/pictures

# What a server alone shows (pipeline/ledger/storage/postgres*.py) is not judged here.
coverage: $(TOOLS)  ## run the tests, measured: domain, ledger, submit and poll hold 95 % of their branches
	@rm -f .coverage .coverage.*
	@$(MAKE) test ARGS="--cov --cov-report=term $(ARGS)"
	@$(BIN)/python .ci/branches.py 95 pipeline/domain pipeline/ledger-storage/postgres pipeline/submit pipeline/poll

lock: $(TOOLS)  ## make the locked requirements anew from pyproject.toml (ARGS=--upgrade: newest versions)
	@.ci/lock $(ARGS)

package-windows: $(TOOLS)  ## make the zip that an office installs on Windows, in build/ (PACKAGE_PYTHON=3.13)
	@$(BIN)/python .ci/package.py windows --python $(PACKAGE_PYTHON)

package-linux: $(TOOLS)  ## the same for Linux on x86-64, as a .tar.gz
	@$(BIN)/python .ci/package.py linux --python $(PACKAGE_PYTHON)

package-macos: $(TOOLS)  ## the same for macOS on arm64
	@$(BIN)/python .ci/package.py macos --python $(PACKAGE_PYTHON)

clean:  ## remove the environment, caches, and what the demo wrote (sandbox ledger and results)
	rm -rf .venv .anular resultados build dist htmlcov coverage.json .coverage .coverage.*
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find pipeline schemas tests -name __pycache__ -type d -prune -exec rm -rf {} +
