package uwimap_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/uwimap"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, uwimap.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, uwimap.New) }
