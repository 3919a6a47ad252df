package cyrus_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/cyrus"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, cyrus.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, cyrus.New) }
