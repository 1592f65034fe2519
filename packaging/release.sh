#!/bin/sh
# release.sh [DIRECTORY]: makes the files of a release in DIRECTORY (dist): for
# linux on amd64 and arm64 a binary, a tar.gz, a deb and an rpm, and SHA256SUMS
# of all. The same sources, version and Go give the same bytes, wherever and
# whenever: $VERSION and $SOURCE_DATE_EPOCH are those of the commit by default.
set -eu
umask 022
out=${1:-dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
version=${VERSION:-$(git describe --tags --always --dirty)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
nfpm=${NFPM:-github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2}

# What packages call it: digits first, no dash. v1.2.0-rc.1 comes before 1.2.0,
# v1.2.0-5-gabc after it.
plain=$(printf '%s' "$version" | sed 's/^v//; s/-\(alpha\|beta\|rc\)/~\1/; s/-/+/; s/-/./g')
case $plain in [0-9]*.*) ;; *) plain="0~$plain" ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"/elastic-etcd* "$out/SHA256SUMS"

for arch in amd64 arm64; do
    CGO_ENABLED=0 GOOS=linux GOARCH=$arch GOAMD64=v1 GOARM64=v8.0 GOFLAGS=-mod=readonly go build \
        -trimpath -tags grpcnotrace -buildvcs=false \
        -ldflags "-s -w -buildid= -X github.com/sttts/elastic-etcd/cli.stamped=$version" \
        -o "$out/elastic-etcd-$version-linux-$arch" .
done
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$work/run" . # for the completions
(cd "$out" && sha256sum elastic-etcd-*) >"$work/sums"

# The examples of a release verify its binaries.
for file in $(cd contrib && find . -type f ! -path './check/*' | sort); do
    mkdir -p "$work/contrib/$(dirname "$file")"
    case $file in
    *.yaml | *.bu) packaging/fill.sh "$version" "$work/sums" <"contrib/$file" >"$work/contrib/$file" ;;
    *) cp "contrib/$file" "$work/contrib/$file" ;;
    esac
done

# go run in a directory without a module, so that nfpm is what its own says.
package() { # deb|rpm arch
    (cd "$work" && VERSION=$plain ARCH=$2 STAGE=$work/stage-$2 SOURCE_DATE_EPOCH=$epoch \
        go run "$nfpm" package --config nfpm.yaml --packager "$1" --target "$out" >nfpm.log 2>&1) ||
        { cat "$work/nfpm.log" >&2; exit 1; }
}
cp packaging/nfpm.yaml "$work/nfpm.yaml"
cp -r packaging/scripts "$work/scripts"
for arch in amd64 arm64; do
    stage=$work/stage-$arch
    DESTDIR=$stage RUN=$work/run packaging/install.sh "$out/elastic-etcd-$version-linux-$arch" "$work/contrib"

    name=elastic-etcd-$version-linux-$arch
    mkdir "$work/$name"
    cp "$out/$name" "$work/$name/elastic-etcd"
    cp -r LICENSE README.md docs "$work/contrib" "$work/$name"
    tar -C "$work" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - "$name" |
        gzip -n -9 >"$out/$name.tar.gz"
    package deb "$arch"
    package rpm "$arch"
done
(cd "$out" && sha256sum elastic-etcd* >SHA256SUMS)
