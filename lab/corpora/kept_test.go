package corpora_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/examine"
	"telltale/lab/corpora"
)

// TestKept measures the samples that may be kept.
func TestKept(t *testing.T) {
	samples, err := corpora.Read(corpora.Folders{CrowdSec: "testdata/crowdsec", Filebeat: "testdata/filebeat"})
	if err != nil {
		t.Fatal(err)
	}
	vs, err := corpora.Measure(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	rows, all, _ := corpora.Tabulate(vs)
	for _, r := range rows {
		t.Logf("%-9s %-12s lines %3d right %3d wrong %d missed %d negatives %3d accused %d apart %d unparsed %d", r.Corpus, r.Service, r.Lines, r.Right, r.Wrong, r.Missed, r.Negatives, r.Accused, r.Apart, r.Unparsed)
	}
	for _, v := range vs {
		if v.Outcome == corpora.Wrong || v.Outcome == corpora.Missed || v.Outcome == corpora.Accused {
			t.Logf("%s %s: %s: %s", v.Corpus, v.From, v.Outcome, v.Why)
		}
	}
	if !all.Passes() || all.Lines < 350 || all.Negatives < 600 {
		t.Errorf("%.2f %% of %d lines right, %d negatives, %d accused", 100*all.Share(), all.Lines, all.Negatives, all.Accused)
	}
}

// TestPlaso holds what is read of plaso's small samples against what its own tests expect: how many entries, and the times of the first and the
// last where they are told. Years that stand nowhere are taken from the file's time, which is set to the end of 2023 here.
func TestPlaso(t *testing.T) {
	for _, tc := range []struct {
		name        string
		records     int64 // that plaso counts
		first, last string
	}{
		{"apache_access.log", 15, "2015-05-17T10:05:14Z", ""}, // plaso has its own of a line within a line
		{"apt_history.log", 10, "2019-07-10T16:38:08Z", ""},
		{"bash_history", 7, "2013-10-01T12:36:17Z", "2021-06-10T22:30:36Z"}, // plaso takes the lines below a stamp for one
		{"bash_history_desync", 8, "2013-10-01T12:36:17Z", "2021-06-10T22:30:36Z"},
		{"dpkg.log", 4, "2009-02-25T11:45:23Z", ""},
		{"fish_history", 10, "2021-04-29T22:53:00Z", ""},
		{"postgresql.log", 20, "2022-04-12T00:16:05.526Z", "2022-07-15T23:04:27Z"},
		{"syslog", 16, "", ""},
		{"syslog_chromeos", 8, "2016-10-25T19:37:23.297265Z", ""},
		{"syslog_cron.log", 9, "", ""},
		{"syslog_osx", 2, "2023-03-11T19:26:39Z", ""},
		{"syslog_rsyslog", 5, "2020-05-31T00:00:45.698463Z", ""},
		{"syslog_rsyslog_SyslogProtocol23Format", 9, "2021-03-06T04:07:38.251122Z", ""},
		{"syslog_rsyslog_traditional", 8, "", ""},
		{"syslog_ssh.log", 9, "2023-03-11T00:00:00Z", "2023-03-11T22:55:35Z"},
		{"utmp", 14, "2013-12-13T14:45:09.688666Z", ""},
		{"vsftpd.log", 25, "", "2016-06-10T14:31:12Z"},
		{"wtmp.1", 2, "2011-12-01T17:36:38.432935Z", ""},            // plaso counts the two records of zeros; we call them damage
		{"zsh_extended_history.txt", 5, "2016-03-12T08:26:50Z", ""}, // plaso takes a command of two lines for one
	} {
		dir, spool := t.TempDir(), t.TempDir()
		b, err := os.ReadFile(filepath.Join("testdata/plaso", tc.name))
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(dir, tc.name)
		written := time.Date(2023, 12, 31, 12, 0, 0, 0, time.UTC)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, written, written); err != nil {
			t.Fatal(err)
		}
		r, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: spool, Zone: time.UTC, Artifacts: artifacts.Artifacts()})
		if err != nil || len(r.Coverage) != 1 {
			t.Errorf("%s: %v, %d traces", tc.name, err, len(r.Coverage))
			continue
		}
		c := r.Coverage[0]
		if c.Records != tc.records || tc.first != "" && c.First != tc.first || tc.last != "" && c.Last != tc.last {
			t.Errorf("%s: %d records, %s to %s; want %d, %s to %s", tc.name, c.Records, c.First, c.Last, tc.records, tc.first, tc.last)
		}
	}
}
