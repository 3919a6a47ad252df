package ext4

import (
	"strings"
	"testing"
)

// An inode's number is given to others: of the names that were seen for it, the one that the file itself had is told.
func TestTheNameIsTheFilesOwn(t *testing.T) {
	for _, tc := range []struct {
		name string
		seen []called // in this order
		cut  bool
		want string
	}{
		{"given away in the transaction that deleted it", []called{{name: "own", sequence: 2}, {name: "next", sequence: 5}}, false, "own"},
		{"the next has the same name", []called{{name: "own", sequence: 3}, {name: "own", sequence: 5}, {name: "own", sequence: 9}}, false, "own"},
		{"renamed", []called{{name: "first", sequence: 3}, {name: "second", sequence: 4}}, false, "second"},
		{"only the next is known", []called{{name: "next", sequence: 7}}, false, ""},
		{"cut, and it lives on", []called{{name: "own", sequence: 5}}, true, "own"},
	} {
		n := names{wanted: map[uint32][]called{12: nil}, buried: map[uint32][]*life{}}
		for _, c := range tc.seen {
			n.note(12, c)
		}
		l := &life{number: 12, firstSeen: 3, hasAlive: true, hasDead: true, dead: sight{sequence: 5}, cut: tc.cut}
		if got, ok := n.of(l); ok != (tc.want != "") || ok && got.name != tc.want {
			t.Errorf("%s: %q %v, want %q", tc.name, got.name, ok, tc.want)
		}
	}
}

// Directories can be crafted deep, with long names, and gone many times over.
func TestPathsAreBounded(t *testing.T) {
	n := names{wanted: map[uint32][]called{}, buried: map[uint32][]*life{}, dirs: map[uint32]place{}}
	long := strings.Repeat("x", 255)
	for i := range uint32(1000) {
		n.dirs[100+i] = place{101 + i, long}
	}
	gone := []*life{{number: 12}}
	for range 100_000 {
		gone = append(gone, &life{number: 13, dir: true})
	}
	n.want(gone)
	n.note(12, called{parent: 100, name: "x"})
	if p, _ := n.path(gone[0]); len(p) > maxPathBytes+255 || !strings.HasPrefix(p, "#") {
		t.Errorf("a path of %d bytes: %.20s", len(p), p)
	}
	if got := len(n.buried[13]); got > maxLivesOfOne {
		t.Errorf("%d directories of one number are looked through for each name", got)
	}
}
