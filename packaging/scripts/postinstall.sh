#!/bin/sh
# After an installation or an upgrade, of the deb and of the rpm. In a chroot
# or an image there is no systemd to talk to.
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl try-restart elastic-etcd-discovery.service
fi
