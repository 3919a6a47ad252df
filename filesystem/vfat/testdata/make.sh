#!/bin/sh
# Makes the sample images of this folder with mkfs.vfat (dosfstools 4.2) and mtools 4.0; no root needed. The exFAT one
# is made by exfat.py, for there is no tool that fills one without a kernel; mkfs.exfat's fsck takes it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC0 LC_ALL=C.UTF-8
tree=$work/tree

mkdir -p "$tree/EFI/debian" "$tree/many"
awk 'BEGIN { for (i = 0; i < 6000; i++) printf "word%d ", i * 7919 % 1000 }' >"$tree/words.txt"
: >"$tree/empty"
echo short >"$tree/SHORT.TXT"
echo lower >"$tree/lower.txt"
echo long >"$tree/a long name with Blanks and a dot. or two.text"
echo wide >"$tree/zwei äöü €.txt"
echo grub >"$tree/EFI/debian/grub.cfg"
i=0
while [ $i -lt 40 ]; do
	echo $i >"$tree/many/file number $i"
	i=$((i + 1))
done
find "$tree" -exec touch -h -d '2023-11-14 22:13:20' {} +

make() { # name size options...
	name=$1 size=$2
	shift 2
	truncate -s "$size" "$work/$name"
	mkfs.vfat -i 1234abcd -n SAMPLE "$@" "$work/$name" >/dev/null
	mcopy -s -m -i "$work/$name" "$tree"/* ::
	mattrib -i "$work/$name" +r ::SHORT.TXT
	# pieces: what is written between two others, and then removed, leaves a hole for the next
	head -c 3000 /dev/zero | tr '\0' x >"$work/one"
	mcopy -i "$work/$name" "$work/one" ::one.bin
	mcopy -i "$work/$name" "$work/one" ::two.bin
	mcopy -i "$work/$name" "$work/one" ::gone.bin
	mdel -i "$work/$name" ::one.bin
	head -c 9000 /dev/zero | tr '\0' y >"$work/pieces"
	mcopy -i "$work/$name" "$work/pieces" ::pieces.bin
	echo 'the password' >"$work/secret"
	mcopy -i "$work/$name" "$work/secret" "::a secret with a long name.txt"
	mcopy -i "$work/$name" "$work/secret" ::PLAIN.TXT
	mmd -i "$work/$name" ::olddir
	mcopy -i "$work/$name" "$work/secret" ::olddir/within.txt
	mdel -i "$work/$name" "::a secret with a long name.txt" ::PLAIN.TXT ::gone.bin
	mdeltree -i "$work/$name" ::olddir
	gzip -n -9 <"$work/$name" >"$here/$name.img.gz"
}
make fat12 720K -F 12
make fat16 3M -F 16 -s 1
make fat32 34M -F 32 -s 1 # mtools takes fewer clusters for FAT16
python3 "$here/exfat.py" "$work/exfat"
gzip -n -9 <"$work/exfat" >"$here/exfat.img.gz"
ls -l "$here"/*.img.gz
