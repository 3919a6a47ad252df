package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/acquire/pack"
	artall "telltale/artifact/all"
	"telltale/casefile"
	detall "telltale/detect/all"
	"telltale/examine"
	"telltale/internal/state"
)

// TestLiveForACourt examines a small machine in place: for a court its case has custody and exhibits, as that of examine has; else it has none.
func TestLiveForACourt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a running Linux is needed")
	}
	root := t.TempDir()
	for name, text := range map[string]string{"etc/passwd": "root:x:0:0:root:/root:/bin/bash\nsysbak:x:0:0::/:/bin/sh\n", "etc/hostname": "web1\n"} {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, goal := range []string{"legal", "restart", "root-cause"} {
		w, err := pack.New(&state.Header{Format: state.Format, Host: "web1", Root: true}, pack.Options{Clock: acquire.Clock})
		if err != nil {
			t.Fatal(err)
		}
		f := liveFlags{caseDir: filepath.Join(t.TempDir(), "case"), goal: goal}
		o := examine.Options{Artifacts: artall.Artifacts(), Detections: detall.For(detall.Asked{}), Log: slog.New(slog.DiscardHandler), Live: inPlace(&acquire.Box{Root: root, Proc: "/proc"}, w.State())}
		var out bytes.Buffer
		if err := liveAnswer(t.Context(), &out, f, o, newProgress(io.Discard, true), time.Now()); err != nil {
			t.Fatal(err)
		}
		read := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(f.caseDir, name)) // what there is of it
			return string(b)
		}
		if !strings.Contains(read("report.json"), `"goal": "`+goal+`"`) {
			t.Errorf("%s: the report does not say what it is for", goal)
		}
		court := goal == "legal"
		if has := strings.HasPrefix(read("exhibits/index.csv"), "number,claim,speaks"); has != court {
			t.Errorf("%s: exhibits: %v", goal, has)
		}
		k, err := casefile.Open(f.caseDir)
		if err != nil {
			t.Fatal(err)
		}
		if has := k.Manifest().Custody[0].SHA256 != ""; has != court {
			t.Errorf("%s: the program's digest: %v", goal, has)
		}
		if has := strings.Contains(read("report.html"), `id="custody"`); has != court {
			t.Errorf("%s: custody: %v", goal, has)
		}
	}
}
