package sudo_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/sudo"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, sudo.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, sudo.New) }
