package proftpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/proftpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, proftpd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, proftpd.New) }
