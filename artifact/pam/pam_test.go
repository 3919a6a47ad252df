package pam_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/pam"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, pam.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, pam.New) }
