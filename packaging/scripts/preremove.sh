#!/bin/sh
# Before a removal: deb "remove", rpm 0. Upgrades leave everything running.
# The etcd that was wired is not stopped.
set -e
case $1 in
remove | 0)
    if [ -d /run/systemd/system ]; then
        systemctl stop elastic-etcd-discovery.service
    fi
    # By file and not by systemd: it works in an image as well.
    if command -v systemctl >/dev/null; then
        systemctl --no-reload disable elastic-etcd-discovery.service elastic-etcd.service || :
    fi
    ;;
esac
