#!/bin/sh
# Makes the databases of this folder with go.etcd.io/bbolt 1.4.3, which is fetched for it into a module of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/make.go.txt" "$work/main.go"
cd "$work"
go mod init sample
go get go.etcd.io/bbolt@v1.4.3
go run . "$work"
for f in meta metadata; do gzip -n -9 <"$work/$f.db" >"$here/$f.db.gz"; done
