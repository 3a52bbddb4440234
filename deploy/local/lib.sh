# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run; sets the working directory to the repository's root.

# One language for every tool that is started: what they print is read by people and by these scripts.
export LC_ALL=C.UTF-8

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# The three programs, as `build_release` leaves them.
BIN=.build/release
export BIN

say() {
    printf '%s\n' "$*"
}

# fail SENTENCE: the sentence goes to standard error, and the script ends with 1.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The compiler is the one thing that Debian does not package, so it is asked for and never installed.
need_swift() {
    command -v swift >/dev/null 2>&1 ||
        fail "swift is not on the PATH: install a Swift 6.3 toolchain (https://www.swift.org/install/linux/) and try again"
}

# Whether it runs, and whether it is new enough.
check_swift() {
    local answer version major minor
    answer=$(swift --version 2>&1) || fail "swift is on the PATH but does not run: ${answer%%$'\n'*}"
    version=$(sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$answer" | head -n 1)
    major=${version%%.*}
    minor=${version#*.}
    if [[ -n $version ]] && ((major < 6 || (major == 6 && minor < 3))); then
        fail "this is Swift $version: Postern needs Swift 6.3 or later"
    fi
}

# The same command everywhere, so that `make run`, `make test` and `make release` share one build. The programs become half as large by
# how they are linked (link.sh), and requests take 8 % fewer instructions by what the compiler knows of them (profile.proftext); where
# either cannot be done, they are built as usual.
build_release() {
    local small=() guided=() counts flag
    if python3 deploy/local/icu.py .build/icu.o; then small=(--toolset deploy/local/toolset.json); fi
    if counts=$(profile_data); then
        # Where a function is in a folder is not part of its name; code is made anew when only the counts are; a function that has
        # changed since they were taken is compiled as if there were none, and that is not worth a warning.
        for flag in -Xfrontend "-ir-profile-use=$counts" -Xllvm -static-func-strip-dirname-prefix=99 \
            -Xfrontend -disable-incremental-llvm-codegen -Xllvm -no-pgo-warn-mismatch; do
            guided+=(-Xswiftc "$flag")
        done
    fi
    swift build -c release --static-swift-stdlib "${small[@]}" "${guided[@]}" "$@"
}

# Prints the file with how often what runs of Postern when it serves (Tests/Benchmarks/profile/guide.py), in the form that the compiler
# takes. Its name says what is in it: a build begins anew where a flag has changed, and does not look into this file.
profile_data() {
    local tool text=deploy/local/profile.proftext file
    tool=$(dirname -- "$(readlink -f -- "$(command -v swift)")")/llvm-profdata
    [[ -x $tool ]] || return 1
    file=.build/profile-$(cksum <"$text" | cut -d ' ' -f 1).profdata
    if [[ ! -s $file ]]; then
        mkdir -p .build
        "$tool" merge -o "$file.$$" "$text" >&2 && mv "$file.$$" "$file" || return 1
    fi
    printf '%s' "$PWD/$file"
}

# duration SECONDS: "42 s", "3 min 20 s"
duration() {
    if (($1 < 60)); then
        printf '%d s' "$1"
    else
        printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
    fi
}
