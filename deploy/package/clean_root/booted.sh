#!/bin/sh
# Within the clean root, as a task of its systemd: what the unit does, one line each, into /srv/booted.
exec >/srv/booted 2>&1

systemctl start postern.service && echo started
tries=0
while ! postern health -c /usr/share/doc/postern/examples/proxy.yaml >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || break
    sleep 0.1
done
[ "$tries" -lt 100 ] && echo healthy
process=$(systemctl show --property=MainPID --value postern.service)
grep -q '^CapEff:[[:space:]]*0*$' "/proc/$process/status" && ! grep -q '^Uid:[[:space:]]*0' "/proc/$process/status" && echo 'no rights'
grep -q '^Seccomp:[[:space:]]*2' "/proc/$process/status" && echo filtered
systemctl reload postern.service && systemctl is-active --quiet postern.service && echo reloaded
systemctl stop postern.service && [ "$(systemctl show --property=Result --value postern.service)" = success ] && echo stopped
cp /etc/postern/proxy.yaml /srv/proxy.yaml
echo 'nonsense: 1' >>/etc/postern/proxy.yaml
systemctl start postern.service || echo 'wrong configuration: not started'
mv /srv/proxy.yaml /etc/postern/proxy.yaml
systemctl stop postern.service
journalctl --no-pager -u postern.service
systemctl --force --force poweroff
