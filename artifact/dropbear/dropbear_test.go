package dropbear_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/dropbear"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, dropbear.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, dropbear.New) }
