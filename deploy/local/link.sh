#!/bin/sh
# The linker of release builds (toolset.json): the toolchain's lld, with the small data of ICU in front (the first definition of a
# symbol is taken, so that the library's is not), and without what a program that nothing is loaded into does not need. The functions
# of a request stand side by side (order.txt, by Tests/Benchmarks/profile/order.py): a third of the pages, and a few percent of its time.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
lld=$(dirname -- "$(readlink -f -- "$(command -v swift)")")/ld.lld
# Relocations in a tenth of the space, which the C library reads since version 2.36.
packed=
case $(getconf GNU_LIBC_VERSION) in
"glibc 2."[0-9] | "glibc 2."[12][0-9] | "glibc 2.3"[0-5]) ;;
*) packed="-z pack-relative-relocs" ;;
esac
# shellcheck disable=SC2086
exec "$lld" "$root/.build/icu.o" "$@" --icf=safe --no-export-dynamic $packed \
    --symbol-ordering-file "$root/deploy/local/order.txt" --no-warn-symbol-ordering
