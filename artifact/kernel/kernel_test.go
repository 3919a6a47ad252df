package kernel_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/kernel"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, kernel.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, kernel.New) }
