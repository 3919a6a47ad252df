//go:build linux

package programs

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/internal/state"
)

type kept struct{ all []*state.Program }

func (k *kept) Record(_ string, v any) error {
	if p, ok := v.(*state.Program); ok {
		k.all = append(k.all, p)
	}
	return nil
}

func (k *kept) File(string, int64, time.Time, io.Reader) error { return nil }
func (k *kept) Failed(string, error)                           {}

func box(t *testing.T) *acquire.Box {
	b, _, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skip(err)
	}
	return b
}

func TestOwnTools(t *testing.T) {
	k := &kept{}
	if err := New(true).Take(t.Context(), box(t), k); err != nil {
		t.Fatal(err)
	}
	seen := map[string]*state.Program{}
	for _, p := range k.all {
		seen[p.Path[strings.LastIndexByte(p.Path, '/')+1:]] = p
		if strings.Contains(p.Detail, "LEAVES OUT") {
			t.Errorf("%s: %s", p.Path, p.Detail)
		}
	}
	if ls := seen["ls"]; ls == nil || ls.Kind != "elf" || len(ls.SHA256) != 64 || !strings.Contains(ls.Detail, "lists what we see") {
		t.Errorf("ls: %+v", ls)
	}
}

func TestLiars(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{"ps": "#!/bin/sh\necho 1\n", "ls": "#!/bin/sh\n/bin/ls \"$@\" | grep -v passwd\n", "slow": "#!/bin/sh\nexec sleep 100\n", "flood": "#!/bin/sh\nexec cat /dev/zero\n"} {
		if err := os.WriteFile(dir+"/"+name, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := box(t)
	if s := runPS(t.Context(), b, dir+"/ps"); !strings.Contains(s, "LEAVES OUT processes") {
		t.Error(s)
	}
	if s := runLS(t.Context(), b, dir+"/ls"); !strings.Contains(s, "LEAVES OUT names") || !strings.Contains(s, "/etc/passwd") {
		t.Error(s)
	}
	began := time.Now()
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := run(soon, dir+"/slow"); err == nil || time.Since(began) > 2*patience {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if out, err := run(t.Context(), dir+"/flood"); len(out) > maxSaid || err == nil {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
