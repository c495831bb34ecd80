# The verbs. CMakeLists.txt is the build; what a verb does beyond one command lives in tools/.
SAN    ?=
TIME   ?= 60
PREFIX ?= /usr/local
SHARED ?= ../shared
comma  := ,
BUILD  := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
C_FILES = $(shell git ls-files '*.c' '*.h')

.PHONY: all demo test test-all test-shared test-page test-clients test-deploy fuzz bench install format clean help

all: ## build build/embedd (installs what the build needs, and asks first)
	@tools/setup build
	@cmake -S . -B $(BUILD) -G Ninja -DEMBEDD_SAN=$(SAN) >/dev/null
	@cmake --build $(BUILD) --target embedd

demo: all ## build, get a small model, embed three sentences, show which two are alike
	@tools/demo

test: ## all tests; SAN=address,undefined or SAN=thread for a sanitizer build
	@SAN=$(SAN) tools/test $(BUILD)

test-all: ## the tests plain and under both sanitizers, and five seconds of each fuzz target
	@$(MAKE) test
	@$(MAKE) test SAN=address,undefined
	@$(MAKE) test SAN=thread
	@$(MAKE) fuzz TIME=5

test-shared: ## the longer tests on a folder of larger goldens and corpora; SHARED=../shared
	@SHARED=$(SHARED) tools/test-shared $(BUILD)

test-page: all ## the page for browsers, in headless Chromium
	@tools/test-page

test-clients: all ## the real clients of Ollama, OpenAI, TEI and LanceDB, from npm and PyPI
	@tools/test-clients

test-deploy: all ## HAProxy, systemd and Kubernetes with the files of deploy/
	@tools/test-deploy

fuzz: ## every fuzz target for TIME seconds (60), from its corpus
	@TIME=$(TIME) tools/fuzz build-fuzz

bench: all ## measure against other engines; writes build/bench/table.md and a plot
	@bench/run $(BENCH)

install: all ## the program, library, header and manual page under PREFIX (/usr/local)
	@cmake --install $(BUILD) --prefix $(PREFIX)

format: ## clang-format on every C file
	@clang-format -i $(C_FILES)

clean: ## remove what was built; models stay
	@rm -rf build build-*

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
