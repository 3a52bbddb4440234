#!/usr/bin/env bash
# `make test`: its own set-up, then everything that must hold before a change goes in, the quickest answers first. The
# first stage that fails ends it. The last line counts the stages.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

passed=0
begun=$SECONDS

# stage NAME COMMAND…
stage() {
    local name=$1 start=$SECONDS status=0
    shift
    printf '\n==> %s\n' "$name"
    "$@" </dev/null || status=$?
    if ((status != 0)); then
        printf '==> %s: FAILED with exit code %d after %s\n' "$name" "$status" "$(duration $((SECONDS - start)))" >&2
        printf '\npostern: %d passed, 1 failed\n' "$passed"
        exit 1
    fi
    passed=$((passed + 1))
    printf '==> %s: ok, %s\n' "$name" "$(duration $((SECONDS - start)))"
}

# SwiftPM keeps the flag from the dependencies, whose warnings are not ours to fix. The same flags for building and for
# running the tests: other flags would build everything once more.
strict=(-Xswiftc -warnings-as-errors)

stage "Set-up" deploy/local/setup.sh test
stage "Lint" deploy/local/lint.sh
stage "Build, warnings are errors" \
    swift build --build-tests --explicit-target-dependency-import-check error "${strict[@]}"
# The tests of the Redis client, of health checks, of names that move and of questions to an issuer have timeouts of fractions of a second or
# a few, and beside a thousand others none of them would hold; those of the issuer hash passwords, which takes whole processors.
stage "Unit tests" swift test --skip-build "${strict[@]}" --skip PosternRedisTests --skip PosternIssuerTests \
    --skip HealthServiceTests --skip UpstreamDialTests --skip ExplainIntrospectionTests
stage "Unit tests of the issuer" timeout -k 10 300 swift test --skip-build "${strict[@]}" --filter PosternIssuerTests
stage "Unit tests with short timeouts" swift test --skip-build "${strict[@]}" \
    --filter 'PosternRedisTests|HealthServiceTests|UpstreamDialTests|ExplainIntrospectionTests'
stage "Release build" build_release
stage "End-to-end tests" env POSTERN_BIN="$PWD/$BIN" Tests/PosternEndToEndTests/run.sh
stage "Benchmarks, their own tests" \
    python3 -B -m unittest discover -s Tests/Benchmarks -t Tests/Benchmarks -p 'test_*.py'
stage "Budgets" env POSTERN_BIN="$PWD/$BIN" python3 -B Tests/Benchmarks/budgets/check.py
stage "Fuzz" deploy/local/fuzz.sh
stage "The run script, with stand-ins" python3 deploy/local/run_test.py
stage "make run, once" env RUN_ONCE=1 deploy/local/run.sh

printf '\nAll of it in %s.\npostern: %d passed, 0 failed\n' "$(duration $((SECONDS - begun)))" "$passed"
