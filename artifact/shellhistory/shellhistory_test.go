package shellhistory_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/shellhistory"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, shellhistory.New(), "bash.txt", "/home/alice/.bash_history", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, shellhistory.New, "#1704164645\nwhoami\n: 1704164650:0;x\n")
}
