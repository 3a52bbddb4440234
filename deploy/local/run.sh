#!/usr/bin/env bash
# `make run`: the issuer in dev mode (8000), the trading demo's MT5 API (8001) and Postern with the repository's
# proxy.yaml (8080) on this machine, proved once and kept running until Ctrl-C or SIGTERM, which stops all three.
# With RUN_ONCE=1 it stops after the proof, and the exit code says whether the proof held. A Redis that answers on
# 127.0.0.1:6379 (POSTERN_RUN_REDIS: another HOST:PORT, or none) is used for revocations.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=deploy/local/proof.sh
source deploy/local/proof.sh
# shellcheck source=deploy/local/redis.sh
source deploy/local/redis.sh

# make would end with an error at Ctrl-C, whatever its recipe does, because the terminal signals it too. So in the
# foreground of a terminal everything happens in a process group of its own: then Ctrl-C arrives here alone. If this
# outer shell dies first, the inner one is told by SIGTERM. (bash hands the terminal over by its standard error.)
in_foreground() {
    local fields
    [[ -t 0 && -t 2 && -r /proc/$$/stat ]] || return 1
    read -r -a fields <<<"$(sed 's/^.*) //' "/proc/$$/stat")"
    [[ ${fields[2]} == "${fields[5]}" ]]    # the process group is the terminal's foreground group
}
if [[ -z ${POSTERN_RUN_INNER:-} ]] && in_foreground; then
    set -m
    status=0
    POSTERN_RUN_INNER=1 setpriv --pdeathsig TERM "$PWD/deploy/local/run.sh" "$@" || status=$?
    exit "$status"
fi
unset POSTERN_RUN_INNER

# MARK: - Stopping

# What was started, in that order: names and process ids, nothing else is ever signalled.
names=()
pids=()
builder=

# Asked to stop is a good end, but not of RUN_ONCE, whose proof is then missing. The handler itself ends the script: a
# flag that is looked at before a wait would be set too late by a signal that comes in between.
on_signal() {
    trap '' INT TERM HUP
    if [[ -n $builder ]]; then kill -TERM -- "-$builder" 2>/dev/null || true; fi
    stop_all
    say ""
    say "Stopped."
    if [[ ${RUN_ONCE:-} == 1 ]]; then exit 1; fi
    exit 0
}
trap on_signal INT TERM HUP
trap '' TSTP

running() {
    kill -0 "$1" 2>/dev/null
}

# Postern first: it drains while what is behind it still answers. Then the rest, each by its own process id.
stop_all() {
    local index pid tries
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        pid=${pids[index]}
        kill -TERM "$pid" 2>/dev/null || continue
        for ((tries = 0; tries < 300; tries++)); do
            running "$pid" || break
            sleep 0.1
        done
        if running "$pid"; then
            say "${names[index]} has not stopped in 30 s: killed" >&2
            kill -KILL "$pid" 2>/dev/null || true
        fi
        wait "$pid" 2>/dev/null || true
    done
    pids=()
    names=()
}
trap 'trap "" INT TERM HUP; stop_all' EXIT

# MARK: - Ports

# port NUMBER is listened on by anybody, on any address. Asked of the kernel: Postern's own listeners share a port
# (SO_REUSEPORT), so trying to bind would find a second Postern only when half of the requests go astray.
port_taken() {
    awk -v port="$(printf ':%04X' "$1")" \
        '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Who listens there, if this user may know: "python3, process 4711".
port_owner() {
    command -v ss >/dev/null 2>&1 || return 0
    ss -Hltnp "sport = :$1" 2>/dev/null |
        sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' | head -n 1
}

# The same numbers as in proxy.yaml.
check_ports() {
    local entry port owner
    for entry in "8000 the issuer" "8001 the trading demo" "8080 Postern" "9901 Postern's admin listener"; do
        port=${entry%% *}
        port_taken "$port" || continue
        owner=$(port_owner "$port")
        fail "port $port (for ${entry#* }) is taken by ${owner:-another program}: stop that and try again"
    done
}

# MARK: - Starting

# start NAME COMMAND…: in a session of its own, so that the terminal's Ctrl-C reaches this script alone and each
# program gets exactly one signal (a second one would cut Postern's drain short).
start() {
    local name=$1
    shift
    setsid "$@" >".run/$name.log" 2>&1 </dev/null &
    names+=("$name")
    pids+=("$!")
}

# The first of the three that is gone ends everything, with the last lines of what it said.
check_alive() {
    local index
    for index in "${!pids[@]}"; do
        running "${pids[index]}" && continue
        local status=0 name=${names[index]}
        wait "${pids[index]}" || status=$?
        say "The last lines of .run/$name.log:" >&2
        tail -n 20 ".run/$name.log" >&2
        fail "$name ended by itself with exit code $status"
    done
}

# ready NAME COMMAND…: tries the command until it succeeds, for 30 s.
ready() {
    local name=$1 tries
    shift
    for ((tries = 0; tries < 300; tries++)); do
        check_alive
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    say "The last lines of .run/$name.log:" >&2
    tail -n 20 ".run/$name.log" >&2
    fail "$name was not ready after 30 s"
}

answers() {
    curl --noproxy '*' --silent --fail --max-time 2 --output /dev/null "$1"
}

# In a session of its own as well, and waited for, so that a signal ends the compilers at once.
build() {
    local status=0
    setsid bash -c 'source deploy/local/lib.sh && build_release' </dev/null &
    builder=$!
    wait "$builder" || status=$?
    builder=
    ((status == 0)) || fail "the build failed"
}

# MARK: - The run

check_ports
deploy/local/setup.sh run
say "Building (the first time takes some minutes) …"
build
check_ports

mkdir -p .run
chmod 700 .run
rm -f .run/*.log .run/proxy.yaml .run/issuer.sqlite*

say ""
find_redis
write_configuration
start issuer "$BIN/postern-issuer" run --dev --listen 127.0.0.1:8000 --issuer http://127.0.0.1:8000 \
    --audience mt5-api --store sqlite:.run/issuer.sqlite ${redis_url:+--redis "$redis_url"}
ready issuer answers http://127.0.0.1:8000/health
start trading-demo "$BIN/trading-demo" mt5 --port 8001
ready trading-demo answers http://127.0.0.1:8001/health
start postern "$BIN/postern" run --config "$config"
ready postern "$BIN/postern" health --ready --config "$config"

say "Ready: issuer on 8000, trading demo (MT5 API) on 8001, Postern on 8080. Logs: .run/*.log"
prove
check_alive
if [[ ${RUN_ONCE:-} == 1 ]]; then
    stop_all
    say "Stopped."
    exit 0
fi
print_commands
say "Ctrl-C stops all three."

while true; do
    check_alive
    wait -n "${pids[@]}" 2>/dev/null || true
done
