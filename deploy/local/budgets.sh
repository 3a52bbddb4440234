#!/usr/bin/env bash
# `make budgets`: counts anew what requests and the core's operations cost, and writes it to Tests/Benchmarks/budgets. For
# a change that is meant to cost more, or that costs less; the difference belongs into its commit.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deploy/local/setup.sh test
build_release --product postern
POSTERN_BIN=$PWD/$BIN python3 -B Tests/Benchmarks/budgets/check.py --update
git --no-pager diff --stat -- Tests/Benchmarks/budgets/budgets.json
