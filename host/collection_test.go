package host_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/host"
	"telltale/internal/state"
)

// write makes files of a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func headerText(t *testing.T) string {
	b, err := json.Marshal(&state.Header{Format: state.Format, Host: "web1", Kernel: "Linux 6.1", Started: "2026-04-27T19:52:45Z", Missing: []string{"bpf"}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCollection(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"collection.json": headerText(t), "state/01-x/processes.jsonl": "{}\n", "root/etc/passwd": "root:x:0:0::/root:/bin/sh\n"})
	in, err := host.Open(t.Context(), dir, host.Options{Source: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	h := in.Hosts[0]
	if in.Kind != host.KindCollection || h.State == nil || h.State.Kernel != "Linux 6.1" || h.Name != "web1" || len(h.Users) != 1 || !strings.Contains(strings.Join(in.Notes, "\n"), "not asked: bpf") {
		t.Errorf("%s %+v %q", in.Kind, h.State, in.Notes)
	}
}

// TestPlantedCollection: an intruder puts what looks like a collection into the server, so that its own root folder is taken for the machine.
func TestPlantedCollection(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"collection.json": headerText(t), "etc/hostname": "real\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "root/etc/hostname": "false\n", "state/01-x/processes.jsonl": "{}\n"})
	in, err := host.Open(t.Context(), dir, host.Options{Source: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if in.Kind != host.KindFolder || in.Hosts[0].Name != "real" || in.Hosts[0].State != nil || !strings.Contains(strings.Join(in.Notes, "\n"), "was not believed") {
		t.Errorf("%s %s %q", in.Kind, in.Hosts[0].Name, in.Notes)
	}
}

func TestStrangeHeader(t *testing.T) {
	for text, fails := range map[string]bool{"{}": false, `{"format":"telltale-collection/99"}`: true, "not JSON": false, "[]": false} {
		dir := t.TempDir()
		write(t, dir, map[string]string{"collection.json": text, "auth.log": "x\n"})
		in, err := host.Open(t.Context(), dir, host.Options{Source: "s1"})
		if (err != nil) != fails {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			if in.Hosts[0].State != nil {
				t.Errorf("%q was taken for a collection", text)
			}
			in.Close()
		}
	}
}
