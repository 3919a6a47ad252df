#!/bin/sh
# Makes the sample disks of this folder with sfdisk and fdisk (util-linux 2.38); no root needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

new() { truncate -s 8M "$work/$1"; }
keep() { gzip -n -9 <"$work/$1" >"$here/$1.img.gz"; }

new sectors-512
sfdisk -q "$work/sectors-512" <<END
label: gpt
label-id: 11111111-2222-3333-4444-555555555555
size=1MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="EFI ü", uuid=11111111-2222-3333-4444-000000000001
size=2MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name="root", uuid=11111111-2222-3333-4444-000000000002
type=E6D6D379-F507-44C2-A23C-238F2A3DF928, uuid=11111111-2222-3333-4444-000000000003
END
keep sectors-512

# Only fdisk can be told the sector size; its ids are by chance.
new sectors-4096
printf '%s\n' g n 1 256 +256 n 3 1024 '' w | fdisk -b 4096 "$work/sectors-4096" >/dev/null
keep sectors-4096
