package jupyter_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/jupyter"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, jupyter.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, jupyter.New) }
