package journald_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const noon = uint64(1704164645000000) // microseconds since 1970

// second is so many seconds later.
func second(i int) uint64 { return noon + uint64(i)*1e6 }

// made gives a journal of 40 logins, a second apart, after f has seen each before it is written.
func made(compact bool, f func(j *journal, i int)) *journal {
	j := newJournal(compact, "keyed")
	for i := range 40 {
		if f != nil {
			f(j, i)
		}
		j.entry(second(i), login(i)...)
	}
	return j
}

func TestEntriesOutOfTheIndex(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*journal)
		want   string
	}{
		{"whole", func(j *journal) {}, ""},
		{"cut from the middle", func(j *journal) { j.cut = []int{20, 21, 22} }, `event.count=3 change="index whole" event.start=2024-01-02T03:04:25.000000Z`},
		{"the last ones of a file that is open", func(j *journal) { j.cut, j.state = []int{38, 39}, 1 }, `event.count=2 change="at the end" event.start=2024-01-02T03:04:43.000000Z`},
		{"a page of the index is zeros", func(j *journal) { j.wiped = []int{8, 9, 10, 11} }, `event.count=4 change="index broken"`},
		{"the index runs in a circle", func(j *journal) { j.first = true }, `event.count=36 change="index broken"`},
	} {
		for _, compact := range []bool{false, true} {
			j := made(compact, nil)
			j.state = 2
			tc.change(j)
			got := read(t, j.done())
			if n := strings.Count(got, "auth-accepted "); n != 40 {
				t.Errorf("%s: %d of 40 logins", tc.name, n)
			}
			if strings.Contains(got, "journal-unlinked") != (tc.want != "") || !strings.Contains(got, tc.want) || strings.Contains(got, "damage") {
				t.Errorf("%s, compact %v:\n%s", tc.name, compact, got)
			}
		}
	}
}

// TestAnEntryThatOnlyTheIndexFinds: a length that was changed makes a field swallow the entry behind it.
func TestAnEntryThatOnlyTheIndexFinds(t *testing.T) {
	j := newJournal(false, "")
	j.entry(noon, login(1)...)
	swallow := j.data("FILLER=x")
	at := j.entry(noon+1e6, login(2)...)
	binary.LittleEndian.PutUint64(j.b[swallow+8:], uint64(len(j.b)-swallow))
	if got := read(t, j.done()); strings.Count(got, "auth-accepted ") != 2 || !strings.Contains(got, fmt.Sprintf("@%d+", at)) {
		t.Errorf("the entry at %d is not read:\n%s", at, got)
	}
}

func TestNumbers(t *testing.T) {
	j := made(true, func(j *journal, i int) {
		switch i {
		case 10:
			j.number += 5
		case 30:
			j.boot, j.booted = 0xb2, noon+25e6
		}
	})
	got := read(t, j.done())
	for _, want := range []string{
		`event.count=5 change=offline setting.name=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf setting.value="1-10 1704164645-1704164654 b1000000;16-35 1704164655-1704164674 b1000000;36-45 1704164675-1704164684 b2000000;"`,
		"boot 2024-01-02T03:04:00.000000Z ", "boot 2024-01-02T03:04:30.000000Z ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not told:\n%s", want, got)
		}
	}
	if strings.Count(got, "tells of boot") != 2 || strings.Contains(got, "clock-changed") {
		t.Errorf("two boots, no clock set:\n%s", got)
	}
}

func TestTheClockSet(t *testing.T) {
	got := read(t, made(false, func(j *journal, i int) {
		switch i { // booted is real time less the time since the boot
		case 10:
			j.booted -= 3600e6
		case 20:
			j.booted += 3600e6
		case 30:
			j.booted += 2e6 // slewed
		}
	}).done())
	if strings.Count(got, "clock-changed ") != 2 || !strings.Contains(got, "set back by 1h0m0s") || !strings.Contains(got, "set ahead by 1h0m0s, or the machine slept") || strings.Count(got, "tells of boot") != 1 {
		t.Errorf("%s", got)
	}
}

func TestChangedInPlace(t *testing.T) {
	for _, keyed := range []string{"keyed", ""} {
		j := newJournal(false, keyed)
		for i := range 10 {
			j.entry(second(i), login(i)...)
		}
		whole := j.done()
		at := bytes.Index(whole, []byte("203.0.113.7"))
		edited := bytes.Clone(whole)
		copy(edited[at:], "198.51.10.9")
		got := read(t, edited)
		if !strings.Contains(got, `record.type=journal-hash file.path=/sample transport=journal event.count=1`) || !strings.Contains(got, "it was changed after it was written") || !strings.Contains(got, "from 198.51.10.9") {
			t.Errorf("%q: the edited address is not told:\n%s", keyed, got)
		}
		fallen := bytes.Clone(whole)
		fallen[at] ^= 4
		if got := read(t, fallen); strings.Contains(got, "journal-hash") || !strings.Contains(got, "one bit of it fell over") {
			t.Errorf("%q: a fallen bit is held against somebody:\n%s", keyed, got)
		}
		torn := bytes.Clone(whole)
		clear(torn[at : at+20])
		if got := read(t, torn); strings.Contains(got, "journal-hash") || !strings.Contains(got, "not written completely") {
			t.Errorf("%q: a torn block is held against somebody:\n%s", keyed, got)
		}
	}
}

func TestCutOff(t *testing.T) {
	j := made(true, nil)
	whole := j.done()
	got := read(t, whole[:j.array[30]])
	if !strings.Contains(got, "the header counts 40 entries, the last one of 2024-01-02T03:04:44.000000Z with the number 40; 30 were found, the last one of 2024-01-02T03:04:34.000000Z with the number 30: the file's end is missing") {
		t.Errorf("%s", got)
	}
}

// TestAgainstJournalctl holds the hashes and the index against what systemd's own programs write and verify.
func TestAgainstJournalctl(t *testing.T) {
	remote := "/lib/systemd/systemd-journal-remote"
	if _, err := os.Stat(remote); err != nil {
		t.Skip("systemd-journal-remote is not installed")
	}
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("journalctl is not installed")
	}
	var export strings.Builder
	for i := range 500 {
		long := ""
		if i%50 == 0 {
			long = strings.Repeat("x", 900) // is compressed
		}
		fmt.Fprintf(&export, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n%s\nLONG=%s\n\n", second(i), second(i)-noon+1e6, strings.Join(login(i), "\n"), long)
	}
	dir := t.TempDir()
	input := filepath.Join(dir, "in.export")
	if err := os.WriteFile(input, []byte(export.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, env := range []string{"NONE=1", "SYSTEMD_JOURNAL_KEYED_HASH=0", "SYSTEMD_JOURNAL_COMPACT=0"} {
		name := filepath.Join(dir, strings.ReplaceAll(env, "=", "")+".journal")
		c := exec.Command(remote, "-o", name, input)
		c.Env = append(os.Environ(), env)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, b)
		if strings.Count(got, "auth-accepted ") != 500 || strings.Contains(got, "damage") || strings.Contains(got, "unlinked") || !strings.Contains(got, `setting.value="1-500 `) {
			t.Errorf("%s: %s", env, got)
		}
		copy(b[bytes.Index(b, []byte("203.0.113.77 ")):], "198.51.100.7")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(t, b); !strings.Contains(got, "journal-hash") {
			t.Errorf("%s: an edited field is not told", env)
		}
		if out, err := exec.Command("journalctl", "--verify", "--file", name).CombinedOutput(); err == nil {
			t.Errorf("%s: journalctl finds nothing wrong, either: %s", env, out)
		}
	}
}
