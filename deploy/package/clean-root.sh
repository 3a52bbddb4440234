#!/usr/bin/env bash
# clean-root.sh [--programs FOLDER] [--folder FOLDER]: makes the Debian package of built programs, installs it in a clean Debian root,
# tries the programs and the unit, upgrades, purges, and looks that nothing is left. Root only: it makes mounts, in a namespace of its own.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/lib.sh"

[[ $(id -u) == 0 ]] || fail "clean-root.sh makes mounts: run it as root"
deploy/local/setup.sh image
export PYTHONPATH=deploy/local:deploy/package
exec unshare --mount --propagation private python3 -B -m clean_root "$@"
