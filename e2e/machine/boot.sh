#!/bin/bash
# Becomes systemd, as PID 1 of the namespaces it was started in, on a
# copy-on-write view of LOWER. Called by machine.go:
#   boot.sh LOWER DISK BIND...
# DISK keeps what is written to the root, so that the next boot is the same
# machine; each BIND is a directory that the machine sees read-only.
set -eu
lower=$1 disk=$2
shift 2
exec 3>"$disk/booted"

mount --make-rprivate /
mkdir -p "$disk/upper" "$disk/work" "$disk/root"
root=$disk/root
mount -t overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work" overlay "$root"
cd "$root"
mkdir -p proc sys dev run tmp

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs dev
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    read -r name major minor <<<"$node"
    mknod -m 0666 "dev/$name" c "$major" "$minor"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp

# A machine that was just installed: nothing of the host is enabled on it.
if [ ! -e "$disk/installed" ]; then
    (cd "$lower" && find etc/systemd/system etc/rc?.d etc/init.d ! -type d 2>/dev/null || true) | while read -r file; do
        [ -e "$disk/upper/$file" ] || [ -L "$disk/upper/$file" ] || rm -f "$file"
    done
    mkdir -p etc/systemd/journald.conf.d
    printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nAudit=no\n' >etc/systemd/journald.conf.d/test.conf
    tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
    basename "$disk" >etc/hostname
    : >etc/fstab
    [ -s etc/hosts ] || echo '127.0.0.1 localhost' >etc/hosts
    : >"$disk/installed"
fi
hostname "$(cat etc/hostname)"
mkdir -p run/systemd/system
for unit in systemd-timesyncd systemd-networkd systemd-resolved systemd-udevd systemd-udev-trigger \
    systemd-networkd-wait-online console-getty systemd-tmpfiles-clean; do
    ln -s /dev/null "run/systemd/system/$unit.service"
done

for dir in "$@"; do
    mkdir -p "./$dir"
    mount --bind "$dir" "./$dir"
    mount -o remount,bind,ro "./$dir"
done

init=/usr/lib/systemd/systemd
[ -x ".$init" ] || init=/lib/systemd/systemd
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
hash -r # mount is elsewhere on a root without merged /usr
mount --make-rshared / # as nspawn does: what systemd mounts for one service is seen by it
echo ok >&3
exec 3>&-
exec env -i container=elastic-etcd-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-syslog \
    "$init" --show-status=no --unit=multi-user.target </dev/null
