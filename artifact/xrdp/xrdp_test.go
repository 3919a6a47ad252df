package xrdp_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/xrdp"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, xrdp.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, xrdp.New) }
