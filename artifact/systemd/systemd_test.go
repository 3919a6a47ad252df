package systemd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/systemd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, systemd.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, systemd.New) }
