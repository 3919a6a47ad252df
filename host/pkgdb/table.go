package pkgdb

import (
	"bytes"
	"hash/maphash"
	"iter"
	"math"
	"strings"

	"telltale/filesystem"
)

// table keeps what packages say of files, in about a hundred bytes a file: a distribution's server has 300,000 of them.
type table struct {
	seed    maphash.Seed
	index   map[uint64]uint32 // of a path, its newest entry
	entries []entry
	dirs    []string
	dirOf   map[string]uint32 // while it is filled
	bases   []byte            // the last components, one behind the other
	sums    []byte
	words   []string // names of users, groups and capabilities; words[0] is ""
	wordOf  map[string]uint16
	full    bool
}

type entry struct {
	size              int64
	pkg, dir, base    uint32
	sum, next         uint32 // next is another package's entry for the same path, plus one
	baseLen, mode     uint16
	user, group, caps uint16
	algo              Algo
	flags             Flags
	kind              filesystem.Type
	has               bool // mode is known
}

// maxClaims bounds the packages that ship the same path.
const maxClaims = 64

func newTable() table {
	return table{seed: maphash.MakeSeed(), index: map[uint64]uint32{}, dirOf: map[string]uint32{}, words: []string{""}, wordOf: map[string]uint16{"": 0}}
}

// settle lets go of what only filling needs.
func (t *table) settle() { t.dirOf, t.wordOf = nil, nil }

// add makes an entry for a path; nil where there is no room or the path is none.
func (t *table) add(pkg int, p []byte) *entry {
	if len(p) < 2 || p[0] != '/' || len(p) > math.MaxUint16 {
		return nil
	}
	if len(t.entries) >= maxOwned || len(t.bases) > maxText || len(t.sums) > maxText {
		t.full = true
		return nil
	}
	cut := bytes.LastIndexByte(p, '/')
	dir, ok := t.dirOf[string(p[:cut])]
	if !ok {
		dir = uint32(len(t.dirs))
		t.dirs = append(t.dirs, string(p[:cut]))
		t.dirOf[t.dirs[dir]] = dir
	}
	e := entry{pkg: uint32(pkg), dir: dir, base: uint32(len(t.bases)), baseLen: uint16(len(p) - cut - 1), size: -1}
	t.bases = append(t.bases, p[cut+1:]...)
	h := maphash.Bytes(t.seed, p)
	if i, ok := t.index[h]; ok {
		e.next = i + 1
	}
	t.index[h] = uint32(len(t.entries))
	t.entries = append(t.entries, e)
	return &t.entries[len(t.entries)-1]
}

func (t *table) hash(p []byte) uint64 { return maphash.Bytes(t.seed, p) }

// of gives a package's entry for a path, or any package's if pkg is -1; nil for none.
func (t *table) of(pkg int, p []byte) *entry {
	i, ok := t.index[maphash.Bytes(t.seed, p)]
	for n := 0; ok && n < maxClaims; n++ {
		if pkg < 0 || t.entries[i].pkg == uint32(pkg) {
			return &t.entries[i]
		}
		i, ok = t.after(i)
	}
	return nil
}

func (t *table) after(i uint32) (uint32, bool) {
	n := t.entries[i].next
	return n - 1, n > 0
}

// setSum keeps a digest; one of the wrong length is none.
func (t *table) setSum(e *entry, a Algo, sum []byte) {
	if n := sizes[a]; n == 0 || len(sum) != n {
		return
	}
	e.algo, e.sum = a, uint32(len(t.sums))
	t.sums = append(t.sums, sum...)
}

func (t *table) setWord(to *uint16, w string) {
	if len(w) > maxWord {
		return
	}
	i, ok := t.wordOf[w]
	if !ok {
		if len(t.words) > math.MaxUint16 {
			return
		}
		i = uint16(len(t.words))
		t.words = append(t.words, w)
		t.wordOf[w] = i
	}
	*to = i
}

func (t *table) word(i uint16) string { return t.words[i] }

func (t *table) path(i uint32) string {
	e := &t.entries[i]
	return t.dirs[e.dir] + "/" + string(t.bases[e.base:int(e.base)+int(e.baseLen)])
}

func (t *table) find(p string) (uint32, bool) {
	for q := range names(p) {
		if i, ok := t.index[maphash.String(t.seed, q)]; ok {
			return i, true
		}
	}
	return 0, false
}

// merged are the directories that became links into /usr: the same file has two names, and databases may hold either.
var merged = []string{"/bin/", "/sbin/", "/lib/", "/lib64/", "/lib32/", "/libx32/"}

// names gives the names that a file may have in a database.
func names(p string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(p) {
			return
		}
		q, below := strings.CutPrefix(p, "/usr")
		for _, d := range merged {
			switch {
			case below && strings.HasPrefix(q, d):
				if !yield(q) {
					return
				}
			case strings.HasPrefix(p, d):
				if !yield("/usr" + p) {
					return
				}
			}
		}
	}
}
