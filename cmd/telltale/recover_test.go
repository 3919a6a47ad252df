package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// That nothing was found, and that the journal could not be read, must not look alike.
func TestRecoverTellsWhatCouldNotBeRead(t *testing.T) {
	z, err := os.Open("../../filesystem/ext4/testdata/deleted-ext4.img.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	r, err := gzip.NewReader(z)
	if err != nil {
		t.Fatal(err)
	}
	var img bytes.Buffer
	if _, err := img.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	super := bytes.Index(img.Bytes(), []byte{0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 4})
	if super < 0 {
		t.Fatal("the sample has no journal")
	}
	for name, tc := range map[string]struct {
		incompat byte
		status   int
		told     string
	}{
		"as it is":                    {img.Bytes()[super+0x29], exitOK, "found"},
		"a journal of a later kernel": {0x10, exitUnreadable, "could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(img.Bytes())
			b[super+0x29] = tc.incompat
			p := filepath.Join(t.TempDir(), "x.img")
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			if got := run(context.Background(), []string{"recover", "--list", p}, &out, &errs); got != tc.status || !strings.Contains(out.String(), tc.told) {
				t.Errorf("status %d, want %d: %s%s", got, tc.status, out.String(), errs.String())
			}
			if got := run(context.Background(), []string{"timeline", "--files-only", p}, &out, &errs); got != tc.status {
				t.Errorf("timeline: status %d, want %d: %s", got, tc.status, errs.String())
			}
		})
	}
}
