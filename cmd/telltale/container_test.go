package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"telltale/lab/container"
	"telltale/lab/score"
)

// TestContainerGate makes some servers with real daemons, side by side, and scores them: what was found once stays found, and nobody is accused wrongly. All
// scenarios take half an hour: telltale lab score --all --tier container.
func TestContainerGate(t *testing.T) {
	if os.Getenv("TELLTALE_CONTAINERS") == "" {
		t.Skip("takes minutes: set TELLTALE_CONTAINERS=1")
	}
	if err := container.Ready(); err != nil {
		t.Skip(err)
	}
	program := filepath.Join(t.TempDir(), "telltale")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	type made struct {
		out []byte
		err error
	}
	names := []string{"ssh-guessed", "php-mailer", "samba-share", "quiet", "quiet-running"}
	cases := make(map[string]chan made)
	for _, name := range names {
		done := make(chan made, 1)
		cases[name] = done
		go func() {
			var m made
			for range 2 { // a machine so busy that a daemon did not answer in time says nothing about the program
				c := exec.CommandContext(t.Context(), program, "lab", "score", name, "--tier", "container", "--seed", "21", "--json")
				c.Stderr = os.Stderr
				if m.out, m.err = c.Output(); m.err == nil {
					break
				}
			}
			done <- m
		}()
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			m := <-cases[name]
			out, err := m.out, m.err
			if err != nil {
				t.Fatal(err)
			}
			var all struct{ Scenarios []score.Result }
			if err := json.Unmarshal(out, &all); err != nil || len(all.Scenarios) != 1 {
				t.Fatalf("%v: %s", err, out)
			}
			r := all.Scenarios[0]
			if r.WrongAccusation > 0 || r.Wrong > 0 || r.Missed > 0 || r.Found == 0 {
				for _, a := range r.Answers {
					if a.Outcome != score.Found {
						t.Errorf("%s: %s: want %q, got %q", a.Question, a.Outcome, a.Want, a.Got)
					}
				}
				t.Errorf("%d asked, %d found, %d wrong, accused: %q", r.Asked, r.Found, r.Wrong, r.Accusations)
			}
		})
	}
}
