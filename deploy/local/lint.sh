#!/usr/bin/env bash
# `make lint`: the house style of the Swift files, strictly, and shellcheck over every shell script.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deploy/local/setup.sh test
swift format lint --strict --parallel --recursive Sources Tests Package.swift

mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
for script in "${scripts[@]}"; do
    bash -n "$script"
done
shellcheck --external-sources "${scripts[@]}"
