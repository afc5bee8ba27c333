# inboxbot: needs Python 3.11 or newer, make, and the package index; everything else is installed into .venv.
# `make` alone lists the targets.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$one; break; fi; done)
# One more than two cores: tests with real servers and daemons wait more than they reckon.
JOBS ?= 3
ARGS ?=
N ?= 1000
MORE ?= 50
NATIVE := src/inboxbot/sorting/native
WHAT_IT_NEEDS := pyproject.toml constraints.txt hatch_build.py $(wildcard $(NATIVE)/*.pyx $(NATIVE)/*.pxi)

.DEFAULT_GOAL := help
.PHONY: help demo test chaos fuzz corpus train constraints clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*##\(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

demo: $(VENV)/.demo  ## show the whole job on an invented inbox, until Ctrl-C (ARGS="--once" shows it once)
	@$(BIN)/inboxbot demo $(ARGS)

# Every check runs, even when one before it failed; pytest comes last, so that its closing line ends the output.
test: $(VENV)/.test  ## types, lint, import contracts and every test
	@failed=""; \
	step() { name="$$1"; shift; printf '== %s: %s\n' "$$name" "$$*"; "$$@" || failed="$$failed $$name"; }; \
	step types $(BIN)/mypy; \
	step lint $(BIN)/ruff check .; \
	step contracts $(BIN)/lint-imports; \
	step tests $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS); \
	if [ -n "$$failed" ]; then echo "make test: FAILED:$$failed"; exit 1; fi; \
	echo "make test: types, lint, contracts and tests passed"

chaos: $(VENV)/.test  ## kill it N times (1000) while mail arrives and letters go out; goes on where it was stopped
	@$(BIN)/python -m tests.crash.chaos --kills $(N) $(ARGS)

fuzz: $(VENV)/.test  ## search MORE (50) times as long for mails, texts and orders of events that break something
	@INBOXBOT_TEST_MORE=$(MORE) $(BIN)/python -m pytest -n $(JOBS) -o timeout=0 tests/reading/test_fuzz.py \
		tests/reading/test_mutations.py tests/reading/test_doubling.py tests/sorting/test_judge.py \
		tests/sorting/test_native.py \
		tests/replies/test_compose.py tests/daemon/test_folder_model.py tests/daemon/test_state_machine.py $(ARGS)

corpus: $(VENV)/.test  ## read and judge every raw message under DIR, through the workers and the ledger
	@$(BIN)/python -m benchmarks.corpus $(DIR) $(ARGS)

train: $(VENV)/.test  ## fit the model of the judge anew from training/
	@$(BIN)/python -m training.train $(ARGS)

# Run it after a change of the ranges in pyproject.toml, in a .venv that `make test` passed in, and commit the result.
constraints: $(VENV)/.test  ## write the versions that .venv has into constraints.txt
	@{ echo '# The versions everything was tested with. Written by `make constraints`; `make demo` and `make test` install them.'; \
	   $(BIN)/python -m pip freeze --all --exclude-editable --exclude pip --exclude setuptools | grep '=='; } > constraints.new
	@mv constraints.new constraints.txt
	@touch $(VENV)/.demo $(VENV)/.test

clean:  ## remove what was built, .venv included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f $(NATIVE)/*.so $(NATIVE)/*.pyd $(NATIVE)/*.cpp
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then echo "inboxbot needs Python 3.11 or newer; none was found (name one: make PYTHON=…)"; exit 2; fi
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.made $(WHAT_IT_NEEDS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.made $(WHAT_IT_NEEDS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,postgres,oidc]' --group test
	@touch $@ $(VENV)/.demo
