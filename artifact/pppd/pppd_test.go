package pppd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/pppd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, pppd.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, pppd.New) }
