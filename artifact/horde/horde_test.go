package horde_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/horde"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, horde.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, horde.New) }
