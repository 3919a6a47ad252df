#!/bin/bash
# Makes practice cases, each followed by a check that its truth is visible in it.
# Usage: make.sh NAME|all [FOLDER]. Without a folder they go to practice/NAME of the repository.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
all='ssh-guessed web-upload guessed-at quiet'
if [ -z "${1:-}" ]; then echo "usage: make.sh ${all// /|}|all [FOLDER]" >&2; exit 2; fi
names=$1; [ "$1" = all ] && names=$all
for n in $names; do
	case " $all " in *" $n "*) ;; *) echo "no such case: $n" >&2; exit 2 ;; esac
	to=${2:-$here/../../practice}/$n
	"$here/$n.sh" "$to"
	"$here/check.sh" "$n" "$to"
done
