package host_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"telltale/filesystem"
	"telltale/host"
	"telltale/memory/memorytest"
)

func writeDump(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDumps: a dump is told by what it holds, packed or not, and its state reads as a collection's does.
func TestDumps(t *testing.T) {
	lime := memorytest.LiME([]memorytest.Piece{{Start: 0, Bytes: memorytest.Machine()}})
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"m.lime":     lime,
		"m.lime.zst": z.EncodeAll(lime, nil),
		"mem.raw":    append(memorytest.Machine(), make([]byte, 8<<20)...),
	} {
		t.Run(name, func(t *testing.T) {
			in, err := host.Open(t.Context(), writeDump(t, name, b), host.Options{Source: "s1", Spool: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if in.Kind != host.KindDump || len(in.Hosts) != 1 || in.Hosts[0].State == nil || !in.Hosts[0].State.Dump || !strings.Contains(strings.Join(in.Notes, "\n"), "a dump of memory (") || !strings.Contains(strings.Join(in.Notes, "\n"), "not read: the kernel's log: ") {
				t.Fatalf("%s %q %+v", in.Kind, in.Notes, in.Hosts)
			}
			v := host.View{Source: "s1", Mounts: []host.Mount{in.Hosts[0].State.Mount}}
			got := ""
			err = v.Walk(t.Context(), func(p string, err error) { t.Error(p, err) }, func(e *host.Entry) error {
				if e.Meta.Type == filesystem.Regular && strings.HasSuffix(e.Path, "/processes.jsonl") {
					line := make([]byte, e.Meta.Size)
					n, _ := e.Mount.FS.ReadAt(e.Meta.Inode, line, 0)
					got = string(line[:n])
				}
				return nil
			})
			if err != nil || strings.Count(got, "\n") != 2 || !strings.Contains(got, `"name":"[kworker/9:9]"`) || !strings.HasPrefix(got, `{"at":{"phys":`) {
				t.Errorf("%v %s", err, got)
			}
		})
	}
}

// TestDumpsThatTellNothing: a dump of which nothing can be read is refused by its reason, and what only looks like one is none.
func TestDumpsThatTellNothing(t *testing.T) {
	lime := memorytest.LiME([]memorytest.Piece{{Start: 0, Bytes: make([]byte, 1<<20)}})
	_, err := host.Open(t.Context(), writeDump(t, "m.lime", lime), host.Options{Source: "s1", Spool: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "no process could be read") {
		t.Error(err)
	}
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(lime)
	w.Close()
	for says, b := range map[string][]byte{"pigz -dz": z.Bytes(), "virsh dump --memory-only": append([]byte("LibvirtQemudSave"), make([]byte, 4096)...), ".vmem beside": append([]byte("\xd2\xbe\xd2\xbe"), make([]byte, 4096)...)} {
		if _, err = host.Open(t.Context(), writeDump(t, "m", b), host.Options{Source: "s1", Spool: t.TempDir()}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	zeros := append(make([]byte, 1<<20), bytes.Repeat([]byte("OSRELEASE= in some text\n"), 1<<19)...)
	if _, err = host.Open(t.Context(), writeDump(t, "x", zeros), host.Options{Source: "s1", Spool: t.TempDir()}); !errors.Is(err, host.ErrNotEvidence) || strings.Contains(err.Error(), "memory") {
		t.Error(err)
	}
}
