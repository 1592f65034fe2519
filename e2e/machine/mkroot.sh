#!/bin/bash
# Builds a small Debian root with systemd and D-Bus, for machines of another
# systemd version than this one's: mkroot.sh SUITE DIR. It needs root,
# mmdebstrap and Debian's mirror; a root that is there already is left alone.
set -euo pipefail
suite=$1 dir=$2
[ ! -e "$dir/etc/debian_version" ] || exit 0
new=$dir.new.$$
trap 'rm -rf --one-file-system "$new"' EXIT
mkdir -p "$(dirname "$dir")"
keyrings=(/usr/share/keyrings/debian-archive-keyring.gpg)
# A keyring of this machine may be too old for a newer suite: the one of an
# older root's successor is taken where it is there.
for other in "$(dirname "$dir")"/*/usr/share/keyrings/debian-archive-keyring.gpg; do
    [ -e "$other" ] && keyrings+=("$other")
done
for keyring in "${keyrings[@]}"; do
    if mmdebstrap --quiet --mode=root --variant=minbase --keyring="$keyring" \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --include=systemd,systemd-sysv,dbus,debian-archive-keyring "$suite" "$new"; then
        mv "$new" "$dir"
        exit 0
    fi
    rm -rf --one-file-system "$new"
done
echo "mkroot: cannot build $suite" >&2
exit 1
