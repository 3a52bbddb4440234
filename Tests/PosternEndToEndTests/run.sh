#!/bin/sh
# Runs the end-to-end tests: run.sh [pytest arguments]. Needs built binaries (POSTERN_BIN names their folder; by
# default .build/release, then .build/debug) and Python 3.11 or later; everything else goes into .venv at the root.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
venv="$root/.venv"
stamp="$venv/.postern-requirements"

if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || {
        echo "run.sh: python3 cannot make a virtual environment; install python3-venv" >&2
        exit 69
    }
fi
if ! cmp -s "$here/requirements.txt" "$stamp"; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi
cd "$here"
exec "$venv/bin/python" -B -m pytest "$@"
