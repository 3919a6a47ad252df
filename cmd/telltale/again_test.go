package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"telltale/report"
)

// TestTwoRunsAgree: the same evidence gives the same report, word by word, but for when and by which command it was made.
func TestTwoRunsAgree(t *testing.T) {
	for _, name := range []string{"guessed-at", "logs-wiped", "ssh-campaign"} {
		dir := filepath.Join(t.TempDir(), name)
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"lab", "make", name, "--tier", "tree", "--seed", "301", "--to", dir}, &out, &errs); code != exitOK {
			t.Fatalf("exit status %d: %s", code, errs.String())
		}
		args := []string{"examine", "-q", "--json", filepath.Join(dir, "evidence.*")}
		found, err := filepath.Glob(args[3])
		if err != nil || len(found) != 1 {
			t.Fatalf("%q, %v", found, err)
		}
		args[3] = found[0]
		if name == "logs-wiped" {
			args = append(args, "--remote-logs", filepath.Join(dir, "remote"))
		}
		var first []byte
		for range 4 {
			var out, errs bytes.Buffer
			if code := run(t.Context(), append(args, "--case", filepath.Join(t.TempDir(), "case")), &out, &errs); code != exitOK {
				t.Fatalf("exit status %d: %s", code, errs.String())
			}
			var d report.Document
			if err := json.Unmarshal(out.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			d.Made, d.Custody = "", nil
			b, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			} else if !bytes.Equal(b, first) {
				t.Errorf("%s: two runs differ", name)
			}
		}
	}
}
