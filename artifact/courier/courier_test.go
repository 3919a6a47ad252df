package courier_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/courier"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, courier.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, courier.New) }
