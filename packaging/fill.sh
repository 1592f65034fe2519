#!/bin/sh
# fill.sh VERSION SHA256SUMS [DISCOVERY_URL] <FILE: fills in the version and the
# checksums of a release, and the discovery URL if it is given.
set -eu
version=$1 sums=$2 url=${3:-@DISCOVERY_URL@}
sum() { # of a binary; none is an error: an example must not go out unverified
    awk -v f="elastic-etcd-$version-linux-$1" '$2 == f { print $1; n++ } END { exit n != 1 }' "$sums" ||
        { echo "fill.sh: $sums has no elastic-etcd-$version-linux-$1" >&2; exit 1; }
}
amd64=$(sum amd64)
arm64=$(sum arm64)
# In the replacement of sed \, & and the delimiter are special.
url=$(printf '%s' "$url" | sed 's/[\\&|]/\\&/g')
exec sed -e "s|@VERSION@|$version|g" -e "s|@SHA256_LINUX_AMD64@|$amd64|g" \
    -e "s|@SHA256_LINUX_ARM64@|$arm64|g" -e "s|@DISCOVERY_URL@|$url|g"
