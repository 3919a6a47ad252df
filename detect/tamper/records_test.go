package tamper_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/tamper"
)

const (
	oldJournal   = "/var/log/journal/m/system@a-1-1.journal"
	otherJournal = "/var/log/journal/m/system@a-2-2.journal"
	nowJournal   = "/var/log/journal/m/system.journal"
	userJournal  = "/var/log/journal/m/user-1000.journal"
)

// numbered is what a journal tells of its numbers.
func numbered(path, runs string) string { return ofRow("aa", path, runs) }

func ofRow(id, path, runs string) string {
	return fmt.Sprintf("- records-missing record.type=journal-numbers event.count=0 setting.name=%s file.path=%s setting.value=%q @%s\n", id, path, runs, path)
}

func TestNumbersThatNoJournalHas(t *testing.T) {
	oldest := numbered("/var/log/journal/m/system@a-0-0.journal", "1-10 10-90 b1000000;")
	first := oldest + numbered(oldJournal, "11-500 1000-5000 b1000000;")
	for _, tc := range []struct {
		name, events string
		gone, lost   int
	}{
		{"one after the other", first + numbered(nowJournal, "501-900 5001-9000 b1000000;"), 0, 0},
		{"a file between is gone", first + numbered(nowJournal, "9001-9500 90000-95000 b1000000;"), 1, 0},
		{"the one before is the oldest there is: a user's may have been removed first", numbered(oldJournal, "11-500 1000-5000 b1000000;") + numbered(nowJournal, "9001-9500 90000-95000 b1000000;"), 0, 1},
		{"a user's journal has them and says that they are its own row", first + ofRow("bb", userJournal, "501-9000 5001-89999 b1000000;") + numbered(nowJournal, "9001-9500 90000-95000 b1000000;"), 0, 0},
		{"a user's journal of another boot has such numbers", first + ofRow("bb", userJournal, "501-9000 5001-89999 b2000000;") + numbered(nowJournal, "9001-9500 90000-95000 b1000000;"), 1, 0},
		{"a user's journal alone", numbered(userJournal, "1-1 1000-5000 b1000000;900-950 9000-9900 b1000000;"), 0, 0},
		{"a user's journal has them", first + numbered(userJournal, "501-9000 5001-89999 b1000000;") + numbered(nowJournal, "9001-9500 90000-95000 b1000000;"), 0, 0},
		{"the oldest ones were removed", numbered("/var/log/journal/m/system@a-0-0.journal", "6990-6999 10-90 b1000000;") + numbered(oldJournal, "7000-8000 1000-5000 b1000000;") + numbered(nowJournal, "8001-9500 5000-95000 b1000000;"), 0, 0},
		{"a user's journal that is older was left", numbered(userJournal, "5-5 10-10 b1000000;") + numbered(oldJournal, "7000-8000 1000-5000 b1000000;") + numbered(nowJournal, "8001-9500 5000-95000 b1000000;"), 0, 1},
		{"numbers of a user whose journal was removed", numbered(nowJournal, "1-500 1000-5000 b1000000;700-900 9000-9900 b1000000;"), 0, 1},
		{"the machine started between", first + numbered(nowJournal, "9001-9500 90000-95000 b2000000;"), 0, 1},
		{"written to memory while the disk was full, then copied", first + numbered(nowJournal, "9001-9500 5001-95000 b1000000;"), 0, 1},
		{"a few", first + numbered(nowJournal, "520-900 90000-95000 b1000000;"), 0, 1},
		{"the file is damaged", strings.ReplaceAll(first, "event.count=0", "event.count=0 error.code=77") + numbered(nowJournal, "9001-9500 90000-95000 b1000000;"), 0, 1},
		{"one between could not be read", first + numbered(nowJournal, "9001-9500 90000-95000 b1000000;") + "- file file.type=file file.size=9 file.path=" + otherJournal, 0, 1},
		{"all of them were read", first + numbered(nowJournal, "501-900 5001-9000 b1000000;") + "- file file.type=file file.size=9 file.path=" + nowJournal, 0, 0},
		{"too many to tell", first + numbered(nowJournal, "?"), 0, 1},
		{"no numbers at all", numbered(oldJournal, "x"), 0, 1},
		{"copies of one file", first + first, 0, 0},
		{"numbers given twice after a start", numbered(oldJournal, "1-500 1000-5000 b1000000;") + numbered(userJournal, "400-600 6000-7000 b2000000;") + numbered(nowJournal, "501-900 6001-9000 b2000000;"), 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events)
			gone, lost := detecttest.Of(all, detect.LogEdited), detecttest.Of(all, detect.RecordsLost)
			if len(gone) != tc.gone || len(lost) != tc.lost {
				t.Errorf("gone %+v\nlost %+v", gone, lost)
			}
			if tc.gone == 1 && (gone[0].Count != 8500 || gone[0].First.Sec != 5000 || gone[0].Last.Sec != 90000 || gone[0].Path != "/var/log/journal/m") {
				t.Errorf("%+v", gone[0])
			}
		})
	}
}

func TestAJournalThatContradictsItself(t *testing.T) {
	tell := func(kind, n, change, state string) string {
		return fmt.Sprintf("04:00:00 records-missing record.type=%s event.count=%s change=%q setting.value=%q event.start=2024-01-02T03:00:00Z file.path=%s @%s\n", kind, n, change, state, nowJournal, nowJournal)
	}
	for _, tc := range []struct {
		name, events string
		edited       int
	}{
		{"entries out of the index of a closed file", tell("journal-unlinked", "9", "index whole", "archived"), 1},
		{"of one that was not closed", tell("journal-unlinked", "9", "index whole", "online"), 0},
		{"of one found unclean", tell("journal-unlinked", "9", "index whole", "found unclean and put aside"), 0},
		{"one, as a full disk leaves", tell("journal-unlinked", "1", "index whole", "archived"), 0},
		{"its last ones", tell("journal-unlinked", "9", "at the end", "archived"), 0},
		{"the index is damaged", tell("journal-unlinked", "9", "index broken", "archived"), 0},
		{"a field changed in place", tell("journal-hash", "1", "archived", ""), 1},
		{"in a file that was not closed", tell("journal-hash", "1", "online", ""), 0},
		{"all fields", tell("journal-hash", "200", "hardly any field fits", ""), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events+"- file file.type=file file.size=9 file.mtime=2024-01-02T09:00:00Z file.path="+nowJournal)
			if tc.edited == 1 && all[0].Last.Std().Hour() != 9 {
				t.Errorf("it was edited until %s", all[0].Last)
			}
			if got := detecttest.Of(all, detect.LogEdited); len(got) != tc.edited || len(all) != 1 || all[0].Detail == "" || tc.edited == 0 && (all[0].Explained == "" || all[0].Level != detect.Info) {
				t.Errorf("%+v", all)
			}
		})
	}
}
