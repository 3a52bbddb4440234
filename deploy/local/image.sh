#!/usr/bin/env bash
# image.sh [--programs FOLDER] [--folder FOLDER]: carries the Dockerfile out in a clean Debian root, starts its images and asks their health
# checks, prints what they weigh and fails if one is too heavy. Without --programs the stage `build` compiles everything there, which
# takes many minutes. Root only: it makes mounts, in a namespace of its own.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $(id -u) == 0 ]] || fail "image.sh makes mounts: run it as root"
deploy/local/setup.sh image
export PYTHONPATH=deploy/local
exec unshare --mount --propagation private python3 -B -m image "$@"
