package shellhistory_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/shellhistory"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, shellhistory.New(), "bash.txt", "/home/alice/.bash_history", "")
	artifacttest.GoldenAs(t, shellhistory.New(), "fish.txt", "/home/alice/.local/share/fish/fish_history", "")
	artifacttest.GoldenAs(t, shellhistory.New(), "loose.txt", "/root_bash_history.txt", "")
}

func TestLoose(t *testing.T) {
	a := shellhistory.New()
	for name, want := range map[string]bool{".bash_history": true, "bash_history": true, "root_bash_history": true, "bash_history-alice.txt": true, "alice.zsh_history": true, "fish_history": true,
		"old_bash_history_notes.md": false, "history": false, "dpkg_history.log": false} {
		if a.Loose(name) != want {
			t.Errorf("%s: %v, want %v", name, !want, want)
		}
	}
	for head, want := range map[string]bool{"#1704164645\nwhoami\n#1704164650\nid\n": true, ": 1704164650:0;x\n": true, "- cmd: ls\n  when: 1704164645\n": true, "whoami\nid\n": false, "# a comment\nx=1\n": false, "": false} {
		if a.Sniff([]byte(head)) != want {
			t.Errorf("%q: %v, want %v", head, !want, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, shellhistory.New, "#1704164645\nwhoami\n: 1704164650:0;x\n", "- cmd: a\\nb\n  when: 1\n")
}
