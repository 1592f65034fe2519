#!/bin/sh
# After a removal: without the generator, no wiring from the next reload on.
set -e
case $1 in
remove | 0)
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
    ;;
esac
