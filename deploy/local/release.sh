#!/usr/bin/env bash
# `make release`: the three programs, with the Swift runtime inside and without symbols, in .build/dist.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deploy/local/setup.sh run
build_release "$@"
rm -rf .build/dist
mkdir -p .build/dist
for program in postern postern-issuer trading-demo; do
    strip -o ".build/dist/$program" "$BIN/$program"
    printf '%-16s %6.1f MiB\n' "$program" "$(stat --format=%s ".build/dist/$program" | awk '{ print $1 / 1048576 }')"
done
