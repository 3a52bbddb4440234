#!/usr/bin/env bash
# deb.sh [OUTPUT]: a Debian package of the built programs into the folder OUTPUT (.build/dist). In the environment:
#   PROGRAMS        the folder with postern and postern-issuer (.build/dist); stripped copies are packed
#   DEB_VERSION     (the program's)     DEB_MAINTAINER  "Name <address>"     DEB_COMPRESSION   a type of dpkg-deb (xz)
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/lib.sh"

output=${1:-.build/dist}
programs=${PROGRAMS:-.build/dist}
package=deploy/package
for program in postern postern-issuer; do
    [[ -x $programs/$program ]] || fail "$programs/$program is not there: make release builds it"
done
# The time of everything inside, so that one commit makes one package, byte for byte.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
version=${DEB_VERSION:-$("$programs/postern" --version)}
architecture=$(dpkg --print-architecture)
maintainer=${DEB_MAINTAINER:-Postern maintainers <maintainers@postern.example>}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

mkdir -p "$work/programs" "$root/DEBIAN" "$output"
for program in postern postern-issuer; do
    strip --remove-section=.comment --remove-section=.note -o "$work/programs/$program" "$programs/$program"
done
PROGRAMS=$work/programs PREFIX=/usr DESTDIR=$root ZSH_COMPLETIONS=zsh/vendor-completions $package/install.sh install
install -d "$root/usr/share/doc/postern"
install -m 0644 $package/copyright "$root/usr/share/doc/postern/copyright"
printf 'postern (%s) unstable; urgency=medium\n\n  * See the history of the source.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(date -u -R --date="@$SOURCE_DATE_EPOCH")" >"$root/usr/share/doc/postern/changelog"
install -D -m 0644 $package/lintian-overrides "$root/usr/share/lintian/overrides/postern"
gzip -9n "$root/usr/share/doc/postern/changelog" "$root"/usr/share/man/man[15]/*

# What the programs are linked with, as packages with the versions that have the symbols they use.
mkdir "$work/debian"
printf 'Source: postern\n\nPackage: postern\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O root/usr/bin/postern root/usr/bin/postern-issuer 2>"$work/shlibdeps.log" |
    sed -n 's/^shlibs:Depends=//p') || { cat "$work/shlibdeps.log" >&2; fail "dpkg-shlibdeps"; }

cat >"$root/DEBIAN/control" <<CONTROL
Package: postern
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du --summarize --apparent-size --block-size=1024 --exclude=DEBIAN "$root" | cut -f 1)
Depends: $depends
Recommends: ca-certificates
Suggests: redis-server
Section: net
Priority: optional
Description: sidecar authentication reverse proxy
 A small process beside each service. It validates the bearer token of a
 request, checks the rules of its route, and tells the service who the caller
 is by X-User-* headers; the service itself is not changed.
 .
 postern-issuer, a small OAuth 2.0 authorization server, comes with it.
CONTROL
printf '/etc/postern/proxy.yaml\n' >"$root/DEBIAN/conffiles"
install -m 0755 $package/postinst $package/prerm $package/postrm "$root/DEBIAN/"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb --root-owner-group "-Z${DEB_COMPRESSION:-xz}" --build "$root" "$output/postern_${version}_$architecture.deb" >/dev/null
say "$output/postern_${version}_$architecture.deb"
