#!/usr/bin/env bash
# boot.sh ROOT: starts the systemd of ROOT, in namespaces made for it (`unshare`), with booted.sh as its one task. 77: not possible here.
set -euo pipefail
root=$1

mount -t tmpfs tmpfs "$root/run"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
if [[ $(stat --file-system --format=%T /sys/fs/cgroup) == cgroup2fs ]]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || exit 77
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd" || exit 77
fi
# What a unit mounts for itself reaches systemd only so.
mount --make-rshared "$root"
mkdir -p "$root/run/systemd/system"
cat >"$root/run/systemd/system/booted.service" <<'UNIT'
[Service]
Type=oneshot
ExecStart=/srv/booted.sh
UNIT
cat >"$root/run/systemd/system/booted.target" <<'UNIT'
[Unit]
Requires=basic.target
Wants=booted.service
UNIT
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot "$root" /lib/systemd/systemd --system --unit=booted.target --log-target=console --show-status=no
