#!/usr/bin/env bash
# `make bench-micro`: instructions and allocations of the core's operations, as a Markdown table. `bench-micro.sh NAME…`
# counts these alone.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deploy/local/setup.sh test >&2
python3 -B Tests/Benchmarks/micro/run.py "$@"
