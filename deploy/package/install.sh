#!/usr/bin/env bash
# install.sh install|uninstall: the built programs with manual pages, completions, the systemd unit and an example. In the environment:
#   PROGRAMS    the folder with postern and postern-issuer, stripped (.build/dist)
#   PREFIX      where they go (/usr/local)          DESTDIR   put before every place, for packages
#   SYSCONFDIR  where postern/proxy.yaml is (/etc)  ZSH_COMPLETIONS   a folder below PREFIX/share (zsh/site-functions)
# A configuration that is there already is left alone by both.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/lib.sh"

programs=${PROGRAMS:-.build/dist}
prefix=${PREFIX:-/usr/local}
sysconfdir=${SYSCONFDIR:-/etc}
destdir=${DESTDIR:-}
package=deploy/package
share=$prefix/share

# Every file but the configuration: mode, name among what `prepare` makes, place.
files() {
    local program
    for program in postern postern-issuer; do
        cat <<LIST
0755 $program $prefix/bin/$program
0644 $program.1 $share/man/man1/$program.1
0644 $program.bash $share/bash-completion/completions/$program
0644 $program.zsh $share/${ZSH_COMPLETIONS:-zsh/site-functions}/_$program
0644 $program.fish $share/fish/vendor_completions.d/$program.fish
LIST
    done
    cat <<LIST
0644 proxy.yaml.5 $share/man/man5/proxy.yaml.5
0644 postern.service $prefix/lib/systemd/system/postern.service
0644 example.yaml $share/doc/postern/examples/proxy.yaml
LIST
}

# prepare FOLDER: everything under the names of `files`, made from the programs themselves.
prepare() {
    local program shell date
    date=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%d 2>/dev/null) || date=$(date -u +%Y-%m-%d)
    PYTHONPATH=$package python3 -B -m manual "$programs" "$1" "$date"
    for program in postern postern-issuer; do
        cp "$programs/$program" "$1/$program"
        for shell in bash zsh fish; do
            # These are sourced, so they need no interpreter.
            "$programs/$program" --generate-completion-script "$shell" | sed '1{/^#!/d}' >"$1/$program.$shell"
        done
    done
    sed -e "s|@BINDIR@|$prefix/bin|g" -e "s|@SYSCONFDIR@|$sysconfdir|g" $package/postern.service >"$1/postern.service"
    cp proxy.yaml "$1/example.yaml"
}

install_all() {
    local made mode name place
    for name in postern postern-issuer; do
        [[ -x $programs/$name ]] || fail "$programs/$name is not there: make release builds it"
    done
    made=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$made'" EXIT
    prepare "$made"
    while read -r mode name place; do install -D -m "$mode" "$made/$name" "$destdir$place"; done < <(files)
    install -d -m 0755 "$destdir$sysconfdir/postern"
    install -d -m 0700 "$destdir$sysconfdir/postern/credentials"
    if [[ ! -e $destdir$sysconfdir/postern/proxy.yaml ]]; then
        install -m 0644 $package/proxy.yaml "$destdir$sysconfdir/postern/proxy.yaml"
    fi
}

uninstall_all() {
    local place configuration=$destdir$sysconfdir/postern/proxy.yaml
    while read -r _ _ place; do rm -f "$destdir$place"; done < <(files)
    rmdir "$destdir$share/doc/postern/examples" "$destdir$share/doc/postern" 2>/dev/null || true
    if cmp --silent $package/proxy.yaml "$configuration"; then rm "$configuration"; fi
    rmdir "$destdir$sysconfdir/postern/credentials" "$destdir$sysconfdir/postern" 2>/dev/null || true
    if [[ -e $destdir$sysconfdir/postern ]]; then say "Left, because it is yours: $destdir$sysconfdir/postern"; fi
}

case ${1:-} in
install) install_all ;;
uninstall) uninstall_all ;;
*) fail "usage: install.sh install|uninstall" ;;
esac
