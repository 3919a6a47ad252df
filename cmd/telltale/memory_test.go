package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/report"
)

// TestMemory examines a dump of a machine that was broken into, alone and with a part of its disk, which bears the same name.
func TestMemory(t *testing.T) {
	dir := os.Getenv("TELLTALE_MEMORY_IMAGE")
	if dir == "" {
		t.Skip("TELLTALE_MEMORY_IMAGE is not set: lab/memory-image.sh makes the dump")
	}
	tree := t.TempDir()
	for name, text := range map[string]string{"etc/hostname": "web-memory\n", "etc/passwd": "root:x:0:0::/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(tree, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dump := filepath.Join(dir, "dump.elf")
	for name, c := range map[string]struct {
		evidence []string
		user     string
	}{"alone": {[]string{dump}, "33"}, "with its disk": {[]string{dump, tree}, "www-data"}} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(t.Context(), append([]string{"examine", "--json", "--case", filepath.Join(t.TempDir(), "case")}, c.evidence...), &out, &errs); got != exitOK {
				t.Fatalf("exit status %d: %s", got, errs.String())
			}
			valid(t, out.Bytes())
			var d report.Document
			if err := json.Unmarshal(out.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			if d.Sources[0].Kind != "memory-dump" || !strings.Contains(strings.Join(d.Sources[0].Notes, "\n"), " processes and ") {
				t.Errorf("%+v", d.Sources)
			}
			found := map[string]string{}
			for _, p := range d.Running {
				if p.Deleted {
					found[p.Exe] = p.User
				}
			}
			if len(found) != 2 || found["/dev/shm/.x/kdevtmpfsi"] != c.user || found["/memfd:upd"] != "root" {
				t.Errorf("%+v", d.Running)
			}
			if !strings.Contains(out.String(), `{\"at\":{\"phys\":`) {
				t.Error("no claim says where its bytes lie in the dump")
			}
		})
	}
}
