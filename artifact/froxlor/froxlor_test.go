package froxlor_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/froxlor"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, froxlor.New()) }

func FuzzDecode(f *testing.F) {
	artifacttest.Fuzz(f, froxlor.New, `froxlor.WARNING: Unknown user tried to login. {"source":"login","action":"50","user":"203.0.113.5"} []`)
}
