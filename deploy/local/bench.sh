#!/usr/bin/env bash
# `make bench`: builds Postern, installs what is missing, and measures it beside its peers on this machine. The document
# goes to standard output and to .build-bench/results.md. POSTERN_BIN names the folder of a postern that is built already;
# BENCH_ROUNDS, BENCH_SECONDS and BENCH_ONLY make a run shorter or longer, see Tests/Benchmarks/endtoend/options.py. There are
# two sections, the proxies and postern-issuer (Tests/Benchmarks/issuer); `issuer` among the names of BENCH_ONLY stands for the
# second one.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here=Tests/Benchmarks/endtoend
venv=.build-bench/venv

deploy/local/setup.sh bench >&2
if [[ -z ${POSTERN_BIN:-} ]]; then
    build_release --product postern >&2
    build_release --product postern-issuer >&2
    POSTERN_BIN=$BIN
fi
export POSTERN_BIN

if [[ ! -x $venv/bin/python ]]; then
    python3 -m venv "$venv" || fail "python3 cannot make a virtual environment: install python3-venv"
fi

# packages REQUIREMENTS: into the environment, once for each version of the file
packages() {
    local stamp=$venv/.postern-$1
    cmp -s "$here/$1" "$stamp" && return
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/$1" >&2 || return
    cp "$here/$1" "$stamp"
}
packages requirements.txt || fail "the Python packages of $here/requirements.txt cannot be installed"

# What BENCH_ONLY asks for: nothing named is everything.
issuer=no
proxies=()
IFS=', ' read -r -a asked <<<"${BENCH_ONLY:-}"
for name in "${asked[@]}"; do
    if [[ $name == issuer ]]; then issuer=yes; else proxies+=("$name"); fi
done
if ((${#asked[@]} == 0)); then issuer=yes; fi

export PYTHONPATH=Tests/Benchmarks
if ((${#asked[@]} == 0 || ${#proxies[@]} > 0)); then
    packages requirements-peers.txt || say "bench: a peer of $here/requirements-peers.txt cannot be installed; going on" >&2
    BENCH_ONLY=$(IFS=,; printf '%s' "${proxies[*]}") "$venv/bin/python" -B -m endtoend
    export BENCH_ADD=1
fi
if [[ $issuer == yes ]]; then
    if [[ -n ${BENCH_ADD:-} ]]; then printf '\n'; fi
    "$venv/bin/python" -B -m issuer
fi
