package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The tables of system calls that a kernel may have: its own, and those for programs of 32 bits (arch/x86/entry, arch/arm64/kernel/sys.c, sys32.c).
var callTables = []string{"sys_call_table", "ia32_sys_call_table", "x32_sys_call_table", "compat_sys_call_table"}

const maxCalls = 1024 // entries of one table: Linux has fewer than 500

// callTable is one table, as far as the symbols tell where it lies.
type callTable struct {
	name    string
	at      uint64
	entries int
}

// symbol is one line of kallsyms.
type symbol struct {
	at           uint64
	name, module string
}

// layout is what the symbols tell of the kernel's own code.
type layout struct {
	from, to uint64 // of its code: _stext to _etext
	end      uint64 // of all of it: _end
	tables   []callTable
	text     []byte
}

var errHidden = errors.New("the kernel's symbols do not tell where its code and its table of system calls are")

// layoutOf finds the kernel's code and its tables of system calls. A table ends where the next symbol begins.
func layoutOf(text []byte) (*layout, error) {
	l := &layout{text: text}
	next := map[string]uint64{}
	for s := range symbolsIn(text) {
		switch {
		case s.module != "":
		case s.name == "_stext":
			l.from = s.at
		case s.name == "_etext":
			l.to = s.at
		case s.name == "_end":
			l.end = s.at
		case slices.Contains(callTables, s.name) && s.at != 0:
			l.tables = append(l.tables, callTable{name: s.name, at: s.at})
		}
	}
	l.end = max(l.end, l.to)
	if l.from == 0 || l.to <= l.from || len(l.tables) == 0 {
		return nil, errHidden
	}
	for s := range symbolsIn(text) {
		for _, t := range l.tables {
			if s.at > t.at && (next[t.name] == 0 || s.at < next[t.name]) {
				next[t.name] = s.at
			}
		}
	}
	for i := range l.tables {
		t := &l.tables[i]
		if n := next[t.name]; n != 0 {
			t.entries = int(min((n-t.at)/8, maxCalls))
		}
	}
	return l, nil
}

// symbolsIn reads "address type name" and perhaps "\t[module]".
func symbolsIn(text []byte) func(func(symbol) bool) {
	return func(yield func(symbol) bool) {
		for line := range bytes.Lines(text) {
			address, rest, ok := strings.Cut(string(bytes.TrimRight(line, "\n")), " ")
			at, err := strconv.ParseUint(address, 16, 64)
			if !ok || err != nil || len(rest) < 3 {
				continue
			}
			name, module, _ := strings.Cut(rest[2:], "\t")
			if !yield(symbol{at, name, strings.Trim(module, "[]")}) {
				return
			}
		}
	}
}

// owner names what an address belongs to: the symbol at or before it.
func (l *layout) owner(at uint64) symbol {
	var best symbol
	for s := range symbolsIn(l.text) {
		if s.at <= at && s.at > best.at {
			best = s
		}
	}
	return best
}

// astray gives the entries of a table that point out of the kernel, by their number. What has no name may lie between the table and the next symbol: what
// comes behind the last entry that points to the kernel's code is none.
func (l *layout) astray(m *memory, t callTable) (map[int]uint64, error) {
	if t.entries == 0 {
		return nil, fmt.Errorf("where %s ends is not known", t.name)
	}
	b := make([]byte, 8*t.entries)
	if err := m.read(t.at, b); err != nil {
		return nil, err
	}
	out := map[int]uint64{}
	last := -1
	for i := range t.entries {
		at := m.order.Uint64(b[8*i:])
		switch {
		case at >= l.from && at < l.to:
			last = i
		case at != 0 && (at < l.from || at >= l.end):
			out[i] = at
		}
	}
	maps.DeleteFunc(out, func(i int, _ uint64) bool { return i > last })
	return out, nil
}
