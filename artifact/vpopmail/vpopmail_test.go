package vpopmail_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/vpopmail"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, vpopmail.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, vpopmail.New) }
