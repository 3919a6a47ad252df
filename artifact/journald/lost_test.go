package journald_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"telltale/artifact/journald"
)

// entriesIn puts together all entries of a journal that lies at off in raw space of which from..to is left.
func entriesIn(raw []byte, at []int, off int, run journald.Run) (out []journald.LostEntry) {
	l := journald.NewLost(bytes.NewReader(raw))
	for _, a := range at {
		if p := int64(off + a); p >= run.From && p+64 <= run.To {
			if e, ok := l.Entry(p, run); ok {
				out = append(out, e)
			}
		}
	}
	return out
}

// raw is a journal in the middle of raw space.
const rawOff = 8 * 4096

func rawSpace(j *journal) []byte {
	return slices.Concat(bytes.Repeat([]byte("noise!! "), rawOff/8), j.done(), bytes.Repeat([]byte{3, 0, 0, 0, 0, 0, 0, 0}, 512))
}

func TestLostEntriesAreFoundWithAndWithoutTheHeader(t *testing.T) {
	for _, compact := range []bool{false, true} {
		for _, pack := range []string{"", "zstd", "lz4", "keyed"} {
			j := newJournal(compact, pack)
			for i := range 40 {
				j.entry(second(i), append(login(i), "FILLER="+strings.Repeat("x", 300))...)
			}
			raw := rawSpace(j)
			end := int64(len(raw))
			got := entriesIn(raw, j.array, rawOff, journald.Run{From: 0, To: end, Header: rawOff})
			if len(got) != 40 || !got[0].Proved || got[39].Missing > 0 || got[7].Number != 8 || !slices.Contains(got[7].Fields, login(7)[0]) {
				t.Errorf("compact %v, %q: %d of 40 entries with the header", compact, pack, len(got))
			}
			cut := int64(rawOff + 4096) // the header and the first entries have been given away
			got = entriesIn(raw, j.array, rawOff, journald.Run{From: cut, To: end, Header: -1})
			if len(got) < 25 || got[0].Proved || got[0].Base != rawOff || !slices.Contains(got[len(got)-1].Fields, login(39)[0]) {
				t.Errorf("compact %v, %q: %d entries without the header", compact, pack, len(got))
			}
		}
	}
}

// TestAnotherFilesHeader: the blocks behind a header belong to another journal.
func TestAnotherFilesHeader(t *testing.T) {
	first, second := made(true, nil), made(true, func(j *journal, i int) { j.b[24] = 9 })
	raw := rawSpace(first)
	other := second.done()
	copy(raw[rawOff+4096:], other[4096:])
	run := journald.Run{From: 0, To: int64(len(raw)), Header: rawOff}
	for _, e := range entriesIn(raw, first.array, rawOff, run) {
		if e.Proved && e.Head.Number > 25 {
			t.Errorf("entry %d is said to be proved by a header that is not its own", e.Number)
		}
	}
}

func TestForgedFieldsAreNotProved(t *testing.T) {
	j := made(false, nil)
	raw := rawSpace(j)
	at := bytes.Index(raw, []byte("203.0.113.7 "))
	copy(raw[at:], "198.51.10.9")
	for _, e := range entriesIn(raw, j.array, rawOff, journald.Run{To: int64(len(raw)), Header: rawOff}) {
		if strings.Contains(strings.Join(e.Fields, " "), "198.51.10.9") {
			t.Errorf("a field that its hash contradicts is given: %q", e.Fields)
		}
	}
}

func TestHeadsOfALivingJournal(t *testing.T) {
	j := made(true, nil)
	n := 0
	_, whole, err := journald.Heads(t.Context(), bytes.NewReader(j.done()), int64(len(j.b)), func(h journald.Head) {
		if n++; h.Real != int64(second(n-1)) {
			t.Errorf("entry %d is of %d", n, h.Real)
		}
	})
	if n != 40 || !whole || err != nil {
		t.Errorf("%d of 40 entries, whole %v, %v", n, whole, err)
	}
	b := j.done()
	clear(b[2000:6000])
	if _, whole, _ := journald.Heads(t.Context(), bytes.NewReader(b), int64(len(b)), func(journald.Head) {}); whole {
		t.Error("a journal with a wiped page is called whole")
	}
}

func TestAMadeJournalReadsLikeOthers(t *testing.T) {
	j := made(true, nil)
	raw := rawSpace(j)
	m := journald.NewMade()
	for _, e := range entriesIn(raw, j.array, rawOff, journald.Run{To: int64(len(raw)), Header: rawOff}) {
		m.Add(&e)
	}
	got := read(t, m.Bytes())
	if strings.Count(got, "auth-accepted ") != 40 || strings.Contains(got, "damage") || !strings.Contains(got, "auth-accepted 2024-01-02T03:04:12.000000Z process.pid=77 transport=journal service.name=sshd user.name=alice source.ip=203.0.113.7") {
		t.Errorf("%s", got)
	}
}

func FuzzLost(f *testing.F) {
	for _, c := range []bool{false, true} {
		for _, p := range []string{"", "zstd", "keyed"} {
			f.Add(sample(c, p, 3), 600, true)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, off int, header bool) {
		run := journald.Run{To: int64(len(b)), Header: -1}
		if header {
			run.Header = 0
		}
		l := journald.NewLost(bytes.NewReader(b))
		m := journald.NewMade()
		at := max(0, min(off&^7, len(b)))
		for ; at+64 <= len(b); at += 8 {
			if b[at] != 3 || b[at+1] != 0 { // what is asked for is an entry's head
				continue
			}
			if e, ok := l.Entry(int64(at), run); ok {
				m.Add(&e)
			}
		}
		if m.Len() > 272 {
			read(t, m.Bytes())
		}
		journald.Heads(t.Context(), bytes.NewReader(b), int64(len(b)), func(journald.Head) {})
	})
}
