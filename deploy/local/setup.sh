#!/usr/bin/env bash
# Installs the Debian packages that are missing: `setup.sh run` what building and running take, `setup.sh test` what
# the tests take besides, `setup.sh bench` what the benchmark takes besides, `setup.sh profile` what the profiles take
# besides, `setup.sh image` what image.sh takes. Says which, and does nothing (and asks for no password) when none is missing.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# git, ca-certificates: SwiftPM fetches the dependencies      pkg-config: SwiftPM finds libcrypto, SQLite and libpq by it
# libssl-dev: PosternCrypto      libhiredis-dev: PosternRedis      libyaml-dev: PosternProxy
# libsqlite3-dev, libpq-dev: the issuer's store
# zlib1g-dev: async-http-client      curl: the proof of `make run`      python3, binutils: smaller programs (icu.py)
packages=(git ca-certificates pkg-config libssl-dev libhiredis-dev libyaml-dev libsqlite3-dev libpq-dev zlib1g-dev curl python3 binutils)
# What the tests or rows that need it are skipped without.
wished=()
case ${1:-run} in
run) ;;
# python3, python3-venv: the end-to-end tests      shellcheck: `make lint`      sqlite3: the documents' backup      valgrind, binutils: the budgets
# openssl: what the verification of a signature is compared with      redis-server: the shared cache and revocation
# postgresql: the issuer's other store; the tests start servers of their own      prometheus: alert rules, dashboards
# wished for, chromium-headless-shell: a browser that calls across origins; Ubuntu has no such package
# nghttp2-client: clients of HTTP/2      mandoc: reads manual pages strictly      zsh, fish: completions
# dpkg-dev: the Debian package
test)
    packages+=(python3 python3-venv shellcheck sqlite3 valgrind binutils openssl redis-server postgresql
        prometheus)
    wished+=(chromium-headless-shell nghttp2-client mandoc zsh fish dpkg-dev)
    ;;
# wrk: the load      nginx: the service behind every proxy, and a peer      haproxy: a peer      strace: system calls
# openssl: what one verification costs      redis-server: behind the rows that introspect      python3, python3-venv: the
# benchmark itself
# wished for, nghttp2-client, nghttp2-server: load over HTTP/2, and the service behind the rows of gRPC
bench)
    packages+=(wrk nginx haproxy strace openssl redis-server python3 python3-venv)
    wished+=(nghttp2-client nghttp2-server)
    ;;
# linux-perf: samples of the processor's time, the kernel included      valgrind, binutils: instructions and heap blocks
profile) packages+=(linux-perf wrk nginx valgrind binutils openssl python3 python3-venv) ;;
# debootstrap: a clean Debian      binutils: stripped programs      dpkg-dev: the Debian package      python3: the scripts
image) packages=(debootstrap ca-certificates binutils dpkg-dev git python3) ;;
*) fail "usage: setup.sh run|test|bench|profile|image" ;;
esac

installed() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# has_library SONAME
has_library() {
    /sbin/ldconfig -p | grep -F "$1 " >/dev/null
}

# A toolchain links with the C++ library of some GCC, and the package's name has that GCC's version in it.
has_cxx_library() {
    dpkg-query -W -f='${db:Status-Status}\n' 'libstdc++-*-dev' 2>/dev/null | grep -x installed >/dev/null
}

# as_root COMMAND…
as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

need_swift

if ! command -v dpkg-query >/dev/null 2>&1; then
    say "Not a Debian system: taking for granted that the equivalents of these are installed: ${packages[*]}"
    check_swift
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done
has_cxx_library || missing+=(g++)
# What the toolchain's own programs are linked with; by library, because some releases name the packages otherwise.
has_library libncurses.so.6 || missing+=(libncurses6)
has_library libcurl.so.4 || missing+=(libcurl4)
has_library libxml2.so.2 || missing+=(libxml2)
# A machine that never ran `apt-get update` knows no package; one that ran it long ago may know files that are gone.
known() {
    local package
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}
if ((${#missing[@]} > 0)); then
    say "Installing the Debian packages that are missing: ${missing[*]}"
    if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null 2>&1; then
        fail "this needs root, and there is no sudo: run 'apt-get install ${missing[*]}' as root and try again"
    fi
    if ! known "${missing[@]}"; then
        as_root apt-get update
        install "${missing[@]}"
    elif ! install "${missing[@]}"; then
        as_root apt-get update
        install "${missing[@]}"
    fi
fi
for package in "${wished[@]}"; do
    if ! installed "$package" && known "$package"; then
        say "Installing $package"
        install "$package" || say "$package cannot be installed: what needs it is skipped"
    fi
done
check_swift
