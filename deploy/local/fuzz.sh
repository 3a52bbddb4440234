#!/usr/bin/env bash
# `make fuzz`: builds Tests/Fuzz and runs each of its targets: first what is kept (Corpora/TARGET, FailCases/TARGET), once
# each; then libFuzzer for FUZZ_SECONDS, growing a corpus of its own in .build-fuzz. An input that fails is written to
# FailCases/TARGET, to be committed with the fix. `fuzz.sh TARGET…` runs these alone.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${FUZZ_SECONDS:-15}
scratch=.build-fuzz
package=Tests/Fuzz

deploy/local/setup.sh run
# Release, because a fuzzer lives of speed: every trap of Swift is still there. The instrumentation is for C too.
swift build --package-path "$package" --scratch-path "$scratch" -c release \
    -Xswiftc -sanitize=fuzzer -Xcc -fsanitize=fuzzer-no-link
fuzz=$(swift build --package-path "$package" --scratch-path "$scratch" -c release \
    -Xswiftc -sanitize=fuzzer -Xcc -fsanitize=fuzzer-no-link --show-bin-path)/postern-fuzz

# libFuzzer writes the input down when the program traps, unless Swift's own backtrace comes first.
export SWIFT_BACKTRACE=enable=no

if (($# == 0)); then
    mapfile -t targets < <("$fuzz" --list)
    set -- "${targets[@]}"
fi
for target in "$@"; do
    corpus=$package/Corpora/$target
    fails=$package/FailCases/$target
    mkdir -p "$fails" "$scratch/corpus/$target"
    mapfile -t kept < <(find "$corpus" "$fails" -type f | sort)
    ((${#kept[@]} > 0)) || fail "$corpus holds no input: a fuzz target needs seeds"
    log=$scratch/$target.log
    status=0
    {
        "$fuzz" "$target" "-artifact_prefix=$fails/" -timeout=10 "${kept[@]}" &&
            "$fuzz" "$target" "-artifact_prefix=$fails/" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -len_control=50 \
                "-max_total_time=$seconds" -print_final_stats=1 "$scratch/corpus/$target" "$corpus"
    } >"$log" 2>&1 || status=$?
    if ((status != 0)); then
        tail -n 40 "$log" >&2
        fail "fuzz target $target failed; the input is in $fails"
    fi
    printf '%-14s %4d kept inputs, %9d runs in %d s\n' "$target" "${#kept[@]}" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)" "$seconds"
done
