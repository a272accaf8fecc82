# Every target starts from nothing: Python 3.11, gcc and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Empty on purpose in an environment that says otherwise: without .pyc files every start pays the compiler.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help single-file corpus corpus-bundle first-starts installs recipes demo test check layers docs loader format bench fuzz tools clean
help:
	@echo 'make demo    see a foreign program fail on a bare root, and why'
	@echo 'make test    install what the tests need and run them all'
	@echo 'make check   format, lint, types, layers'
	@echo 'make single-file  denizen as one static file with Python inside, build/denizen'
	@echo 'make docs    the documentation site, in build/site'
	@echo 'make layers  which module may import which; no circles; names, docstrings, docs/modules.md'
	@echo 'make loader  compile the C loader into the source tree'
	@echo 'make bench   the claims of speed, each beside its peer'
	@echo 'make corpus  run programs that others published on a host that has nothing'
	@echo 'make installs  install 300 packages and start their commands'
	@echo 'make recipes   build ten programs twice and start them'
	@echo 'make fuzz    mutate inputs of every parser (RUNS=1000000)'

$(VENV)/.ready: pyproject.toml tools/make_venv hatch_build.py $(wildcard loader/*.[ch] loader/*/*.[ch]) scripts/denizen
	@tools/make_venv $(PYTHON) $(VENV)
	@# bench too: mypy reads the benchmarks, and they import the peers they measure against
	$(BIN)/python -m pip install --quiet --editable '.[test,check,bench]'
	@touch $@

tools: $(VENV)/.ready
	@tools/install_test_tools

demo: $(VENV)/.ready
	$(BIN)/python tools/demo.py

# What must be covered is covered by all tests together: a part (TESTS) is not measured.
COVERAGE := $(if $(TESTS),,--cov --cov-report=term:skip-covered --cov-fail-under=90)
# Processes that run tests side by side; on two processors a sixth of the time is waiting.
WORKERS ?= 3
test: tools
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(COVERAGE) $(TESTS)

SINGLE_FILE ?= --output build/denizen
single-file: $(VENV)/.ready
	$(BIN)/python tools/single_file.py $(SINGLE_FILE)

CORPUS ?= --host 'bare root'
corpus: tools
	$(BIN)/python tools/corpus.py $(CORPUS)
	$(BIN)/python tools/likeness.py --programs

# The same programs, each as a bundle (BUNDLES: words of tools/corpus_bundle.py).
corpus-bundle: tools
	$(BIN)/python tools/corpus_bundle.py $(BUNDLES)

# Thirty programs at one moment, with nothing cached (FIRST: words of tools/first_starts.py).
first-starts: tools
	$(BIN)/python tools/first_starts.py $(FIRST)

INSTALLS ?= --count 300
installs: $(VENV)/.ready
	$(BIN)/python tools/installs.py $(INSTALLS)

# RECIPES: names of directories of examples/recipes, else all.
recipes: tools
	$(BIN)/python tools/recipes.py $(RECIPES)

check: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory layers

layers: $(VENV)/.ready
	$(BIN)/python tools/check_layers.py
	$(BIN)/python tools/check_names.py
	$(BIN)/python tools/list_modules.py --check

$(VENV)/.docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

docs: SHELL := bash
docs: $(VENV)/.docs
	@mkdir -p build
	@# what griffe cannot read in a docstring is a warning too, but not an issue of --strict
	@$(BIN)/zensical build --clean --strict 2>&1 | tee build/docs.log; \
		test $${PIPESTATUS[0]} = 0 && ! grep -q '^griffe:' build/docs.log

loader:
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-loader-$$(uname -m) $(CC)
	-test $$(uname -m) != x86_64 || $(PYTHON) loader/build.py src/denizen/launch/loader/denizen-attach-x86_64 $(CC)
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-bundle-$$(uname -m) $(CC)
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-enter-$$(uname -m) $(CC)
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-ldconfig-$$(uname -m) $(CC)
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-inside-$$(uname -m) $(CC)
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-exec-$$(uname -m) $(CC)
	$(PYTHON) loader/build.py src/denizen/launch/loader/denizen-resident-$$(uname -m) $(CC)
	@# for 32-bit programs; only where the compiler makes such
	-test $$(uname -m) != x86_64 || $(PYTHON) loader/build.py src/denizen/launch/loader/denizen-loader-i386 $(CC) -m32
	-test $$(uname -m) != x86_64 || $(PYTHON) loader/build.py src/denizen/launch/loader/denizen-inside-i386 $(CC) -m32
	-test $$(uname -m) != x86_64 || $(PYTHON) loader/build.py src/denizen/launch/loader/denizen-exec-i386 $(CC) -m32
	-test $$(uname -m) != x86_64 || $(PYTHON) loader/build.py src/denizen/launch/loader/denizen-resident-i386 $(CC) -m32

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python tools/list_modules.py

bench: tools
	$(BIN)/python -m benchmarks $(BENCH)

RUNS ?= 1000000
fuzz: $(VENV)/.ready
	$(BIN)/python -m fuzz --runs $(RUNS) $(TARGET)

clean:
	rm -rf $(VENV) build .cache .mypy_cache .ruff_cache .pytest_cache
