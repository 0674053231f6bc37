# Everything sets itself up: the virtual environment in .venv, the build tools, the extension.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEPENDENCIES := $(VENV)/.dependencies
BUILT := $(VENV)/.built
DOCS_TOOLS := $(VENV)/.docs
TYPING_TOOLS := $(VENV)/.typing
SOURCES := CMakeLists.txt pyproject.toml $(wildcard cmake/*) $(shell find csrc -type f)
CXX_FILES := $(foreach end,h cc cu cuh,$(shell find csrc tests -name '*.$(end)'))
# A GPU machine's own Python, with PyTorch and without TensorFlow: see docs/gpu.md.
GPU_PYTHON ?= python3
GPU_SITE := build/gpu/site
# A GPU in software, on which the compiled CUDA code is tested without one: tests/virtual_gpu.
VIRTUAL_GPU := build/virtual_gpu
ON_VIRTUAL_GPU = cd $(VIRTUAL_GPU)/site && PYTHON=$(abspath $(BIN))/python \
	PYTHONPATH=.:tests:tests/emulated_gpu:tests/gpu/kernels:tests/virtual_gpu \
	$(abspath tests/virtual_gpu/run.sh) $(abspath $(VIRTUAL_GPU))

export TF_CPP_MIN_LOG_LEVEL ?= 2

# Two processes, a file's tests in one of them: what a file compiles, it compiles once. In the order of
# the folders: where files of few tests came last, as is usual, so would those that take long.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder -q

.PHONY: demo demo-segmentation test test-all lint bench bench-compare quality hard-pixels report
.PHONY: sanitize docs docs-links notebooks build clean help
.PHONY: gpu-build gpu-test gpu-sanitize gpu-bench gpu-all gpu-report
.PHONY: wheels test-wheels
.PHONY: virtual-gpu virtual-gpu-counts virtual-gpu-mutate virtual-gpu-tensorflow

help:
	@echo "make demo    train a model with our loss and with others, compare their tails"
	@echo "make demo-segmentation  the same with images: cross-entropy, and the tail of it"
	@echo "make test    lint, then the tests, each kind and path once: twelve minutes with all it sets up"
	@echo "make test-all  make test, then the extended tests: types times everything, long emulations,"
	@echo "               two architectures, sanitizers, the virtual GPU; half an hour more"
	@echo "make lint    ruff, clang-format and mypy"
	@echo "make bench   time everything against what people write today, ten minutes"
	@echo "make bench-compare  the same, and what got worse since the committed results"
	@echo "               .venv/bin/python -m pytest bench runs the same cases by pytest-benchmark"
	@echo "make quality  train models with our losses and with others, an hour on two cores"
	@echo "make hard-pixels  measures demo-segmentation, for docs/which_tail.md; ten minutes"
	@echo "make report  documents, pictures and the README's figures from bench/results"
	@echo "make sanitize  random problems under sanitizers and valgrind, some minutes"
	@echo "make gpu-test, gpu-sanitize, gpu-bench  on a machine with a GPU: see docs/gpu.md"
	@echo "make gpu-all     all of these, each step so long at most, into GPU_OUT"
	@echo "make gpu-report  registers and spills of the CUDA kernels; needs nvcc, no GPU"
	@echo "make virtual-gpu  runs the compiled CUDA code on a GPU in software; -counts, -mutate,"
	@echo "               -tensorflow: see tests/virtual_gpu/README.md"
	@echo "make docs    the documentation site, build/docs/index.html; docs-links looks up its links"
	@echo "make notebooks  executes docs/notebooks, some minutes"
	@echo "make wheels  a release's wheels into dist/, for every Python that is in PATH: see release/README.md"
	@echo "make test-wheels  installs each of them with each TensorFlow, and checks what is there"
	@echo "make build   only set up and build"
	@echo "make clean   remove what was set up and built"

demo: $(BUILT)
	$(BIN)/python examples/train_tail_loss.py $(ARGS)

demo-segmentation: $(BUILT)
	$(BIN)/python examples/segment_hard_pixels.py $(ARGS)

test: lint
	$(PYTEST) $(ARGS)

test-all: test $(DOCS_TOOLS) $(TYPING_TOOLS)
	$(PYTEST) -m extended $(ARGS)
	if command -v nvcc > /dev/null; then $(MAKE) virtual-gpu; \
	else echo "no nvcc: compiled CUDA code was not run"; fi

lint: $(BUILT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)
	$(BIN)/mypy

bench: $(BUILT)
	$(BIN)/python -m bench run $(ARGS)

bench-compare: $(BUILT)
	$(BIN)/python -m bench run --output out/bench.json $(ARGS)
	$(BIN)/python -m bench compare out/bench.json

quality: $(BUILT)
	$(BIN)/python -m bench.quality $(ARGS)

hard-pixels: $(BUILT)
	$(BIN)/python -m bench.hard_pixels $(ARGS)

report: $(BUILT)
	$(BIN)/python -m bench report $(ARGS)

sanitize:
	tests/kernels/sanitize/run.sh $(ARGS)

gpu-build:
	PYTHON=$(GPU_PYTHON) tests/gpu/build.sh $(GPU_SITE)

gpu-test: gpu-build
	cd $(GPU_SITE) && TAILOPS_TEST_GPU=1 $(GPU_PYTHON) -m pytest -q tests/gpu/kernels $(ARGS)

gpu-sanitize: gpu-build
	tests/gpu/sanitize/run.sh $(abspath $(GPU_SITE))/tailops $(ARGS)

gpu-bench: gpu-build
	cd $(GPU_SITE) && $(GPU_PYTHON) -m bench.gpu \
		--output $(abspath bench/results)/gpu-$$(date +%Y-%m-%d).json $(ARGS)
	cd $(GPU_SITE) && $(GPU_PYTHON) -m bench.gpu_selection \
		--output $(abspath bench/results)/gpu-selection-$$(date +%Y-%m-%d).json

gpu-all:
	PYTHON=$(GPU_PYTHON) tests/gpu/everything.sh $(GPU_SITE) $(or $(GPU_OUT),build/gpu/out) $(ARGS)

gpu-report:
	$(GPU_PYTHON) -m bench.gpu_report $(ARGS)

virtual-gpu: $(BUILT)
	PATH="$(abspath $(BIN)):$$PATH" PYTHON=$(abspath $(BIN))/python tests/virtual_gpu/check.sh $(VIRTUAL_GPU)

virtual-gpu-counts: virtual-gpu
	$(ON_VIRTUAL_GPU) python -m bench.gpu_counts $(ARGS)

virtual-gpu-mutate: virtual-gpu
	$(ON_VIRTUAL_GPU) python tests/virtual_gpu/mutate.py $(ARGS)

virtual-gpu-tensorflow: $(BUILT)
	PATH="$(abspath $(BIN)):$$PATH" PYTHON=$(abspath $(BIN))/python tests/virtual_gpu/tensorflow.sh $(VIRTUAL_GPU) $(ARGS)

# Of what is installed: nothing is fetched, notebooks are committed with their outputs.
SPHINX = $(BIN)/python -m sphinx -W --keep-going -n -q -E -d build/docs-state

docs: $(BUILT) $(DOCS_TOOLS)
	$(SPHINX) -b html docs build/docs
	@echo "build/docs/index.html"

docs-links: $(BUILT) $(DOCS_TOOLS)
	$(SPHINX) -b linkcheck docs build/docs-links

notebooks: $(BUILT) $(DOCS_TOOLS)
	$(BIN)/python docs/notebooks/execute.py $(ARGS)

wheels:
	$(PYTHON) release/build_wheels.py $(ARGS)

test-wheels:
	$(PYTHON) release/check_wheels.py $(ARGS)

build: $(BUILT)

clean:
	rm -rf $(VENV) build dist out .benchmarks .pytest_cache .ruff_cache .mypy_cache .hypothesis

$(DEPENDENCIES): requirements/build.txt requirements/dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	touch $@

$(DOCS_TOOLS) $(TYPING_TOOLS): $(VENV)/.%: requirements/%.txt $(DEPENDENCIES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# The build tools are those of the environment: pinned, and not fetched again for every build.
$(BUILT): $(DEPENDENCIES) $(SOURCES)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --no-build-isolation --no-deps \
		--config-settings=cmake.define.TAILOPS_WERROR=ON --editable .
	touch $@
