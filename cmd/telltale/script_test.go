package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"telltale": func() { os.Exit(Main()) }})
}

// TestScripts runs what README.md and --help promise, as a user types it.
func TestScripts(t *testing.T) {
	practice, err := filepath.Abs("../../practice")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(e *testscript.Env) error { e.Setenv("PRACTICE", practice); return nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// status N COMMAND...: runs telltale, which must end with that exit status.
			"status": status,
			// fill FILE SIZE zero|noise: makes a file.
			"fill": fill,
			// cut FROM TO SIZE: copies the beginning of a file.
			"cut": cutFile,
			// flip FILE OFFSET: inverts a byte; twice is not at all.
			"flip": flip,
		},
	})
}
