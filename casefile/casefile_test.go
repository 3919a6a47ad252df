package casefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"telltale/casefile"
)

func TestACaseIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	k, err := casefile.Create(dir, casefile.Custody{Tool: "telltale", Command: []string{"examine"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := casefile.Create(dir, casefile.Custody{}); !errors.Is(err, casefile.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	if err := k.Write("report.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := k.Finish([]casefile.Source{{ID: "s1", SHA256: "00"}}, time.Now(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(k.Spool()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the spool is left: %v", err)
	}
	again, err := casefile.Open(dir)
	if err != nil || len(again.Manifest().Sources) != 1 || !again.Manifest().Done || again.Manifest().Custody[0].Ended == "" {
		t.Errorf("%+v %v", again, err)
	}
	if st, err := os.Stat(filepath.Join(dir, "case.json")); err != nil || st.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the case: %v %v", st.Mode(), err)
	}
}

func TestAForeignFolderIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := casefile.Create(dir, casefile.Custody{}); !errors.Is(err, casefile.ErrExists) {
		t.Errorf("a folder with files: %v", err)
	}
	if _, err := casefile.Open(dir); !errors.Is(err, casefile.ErrNotCase) {
		t.Errorf("no case: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "case.json"), []byte(`{"schema":"other"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := casefile.Open(dir); !errors.Is(err, casefile.ErrNotCase) {
		t.Errorf("a case of another program: %v", err)
	}
}

func TestDiscardTakesOnlyItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	k, err := casefile.Create(dir, casefile.Custody{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := k.Discard(); err == nil {
		t.Error("a folder with another's file was removed")
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err != nil {
		t.Error(err)
	}
}

// TestHandled: what is done with a case later stands behind what was done before.
func TestHandled(t *testing.T) {
	k, err := casefile.Create(filepath.Join(t.TempDir(), "case"), casefile.Custody{User: "first"})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Handled(casefile.Custody{User: "second"}); err != nil {
		t.Fatal(err)
	}
	if k, err = casefile.Open(k.Dir()); err != nil {
		t.Fatal(err)
	}
	if c := k.Manifest().Custody; len(c) != 2 || c[0].User != "first" || c[1].User != "second" {
		t.Errorf("%+v", c)
	}
}
