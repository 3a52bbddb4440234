# The one entry point, the same on a laptop and in CI. `make help` lists the commands.

# The tools are asked to speak one language: what they print is read by people and by scripts.
export LC_ALL := C.UTF-8

# Seconds that each fuzz target runs after its corpus and its kept fail cases were replayed.
FUZZ_SECONDS ?= 15
export FUZZ_SECONDS
# For install, uninstall and deb: deploy/package/install.sh, deb.sh.
export PREFIX DESTDIR SYSCONFDIR DEB_MAINTAINER DEB_VERSION

.DEFAULT_GOAL := help
.PHONY: help run topology image install uninstall deb deb-test test lint format fuzz bench bench-micro budgets release clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf 'make %-11s %s\n' "$$name" "$$text"; done

run: ## build, start issuer, demo service and Postern, prove a call, go on until Ctrl-C (RUN_ONCE=1: stop after the proof)
	@deploy/local/run.sh

topology: ## build, run deploy/compose.yaml without containers (three services, four sidecars of the first), prove it, go on until Ctrl-C
	@deploy/local/topology.sh

test: ## everything that CI checks: lint, unit and end-to-end tests, release build, budgets, fuzz, run
	@deploy/local/test.sh

lint: ## swift format --strict, shellcheck
	@deploy/local/lint.sh

format: ## rewrite the Swift files in the house style
	@swift format --in-place --parallel --recursive Sources Tests Package.swift

fuzz: ## replay the corpora, then fuzz each target for FUZZ_SECONDS (15)
	@deploy/local/fuzz.sh

bench: ## Postern beside its peers: CPU per request, latency, memory, system calls (BENCH_ROUNDS, BENCH_SECONDS, BENCH_ONLY)
	@deploy/local/bench.sh

bench-micro: ## instructions and allocations of the core's operations
	@deploy/local/bench-micro.sh

budgets: ## count again what requests cost, and write it down as what they may cost (Tests/Benchmarks/budgets)
	@deploy/local/budgets.sh

image: ## carry out the Dockerfile in a clean Debian, without a container engine (as root; IMAGE_PROGRAMS=folder: with these, already built)
	@deploy/local/image.sh $(if $(IMAGE_PROGRAMS),--programs $(IMAGE_PROGRAMS))

install: ## programs, manual pages, completions, systemd unit, example (PREFIX=/usr/local, DESTDIR; builds unless .build/dist is there)
	@[ -x .build/dist/postern-issuer ] || deploy/local/release.sh
	@deploy/package/install.sh install

uninstall: ## take them away again, but not a changed configuration
	@deploy/package/install.sh uninstall

deb: release ## a Debian package of them in .build/dist
	@deploy/package/deb.sh

deb-test: deb ## install it in a clean Debian, try it, upgrade, purge (as root)
	@deploy/package/clean-root.sh

release: ## stripped release programs in .build/dist
	@deploy/local/release.sh

.PHONY: docs
docs: ## the catalogue Sources/postern/Postern.docc as a site in .build/docs
	@python3 -B deploy/local/docs.py

clean: ## remove everything that was built or left by a run
	@rm -rf .build .build-fuzz .build-bench .build-image .build-profile .run
