#!/bin/sh
# install.sh BINARY [EXAMPLES]: installs below $DESTDIR what a host gets. BINARY
# is of the host's architecture; $RUN one that runs here, for the completions.
# EXAMPLES is contrib/, or a copy that is filled in.
set -eu
cd "$(dirname "$0")/.."
binary=$1 examples=${2:-contrib} run=${RUN:-$1}
to=${DESTDIR:-}
share=$to/usr/share

install -D -m 0755 "$binary" "$to/usr/bin/elastic-etcd"
# The same binary by another name. Relative, so that it holds below a DESTDIR.
install -d "$to/usr/lib/systemd/system-generators"
ln -sfn ../../../bin/elastic-etcd "$to/usr/lib/systemd/system-generators/elastic-etcd-generator"
install -D -m 0644 -t "$to/usr/lib/systemd/system" contrib/systemd/usr/lib/systemd/system/*.service contrib/systemd/usr/lib/systemd/system/*.socket

install -D -m 0644 -t "$share/elastic-etcd" contrib/systemd/usr/share/elastic-etcd/*
for file in README.md \
    systemd/etc/systemd/system/etcd.service.d/10-elastic-etcd.conf \
    cloud-config/coreos-etcd2.yaml cloud-config/cloud-init.yaml \
    ignition/flatcar.bu ignition/fcos.bu; do
    install -D -m 0644 "$examples/$file" "$share/elastic-etcd/contrib/$file"
done
install -D -m 0644 -t "$share/doc/elastic-etcd" README.md LICENSE docs/*.md

install -d "$share/bash-completion/completions" "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d"
"$run" completion bash >"$share/bash-completion/completions/elastic-etcd"
"$run" completion zsh >"$share/zsh/vendor-completions/_elastic-etcd"
"$run" completion fish >"$share/fish/vendor_completions.d/elastic-etcd.fish"
