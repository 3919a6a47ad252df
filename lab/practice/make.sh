#!/bin/bash
# Makes practice cases: make.sh NAME|all [FOLDER]. Without a folder they go to practice/NAME of the repository.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ "${1:-}" ] || { echo "usage: make.sh ssh-guessed|web-upload|guessed-at|quiet|all [FOLDER]" >&2; exit 2; }
names=$1; [ "$1" = all ] && names="ssh-guessed web-upload guessed-at quiet"
for n in $names; do
	[ -x "$here/$n.sh" ] || { echo "no such case: $n" >&2; exit 2; }
	"$here/$n.sh" "${2:-$here/../../practice}/$n"
done
