package grafana_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/grafana"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, grafana.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, grafana.New) }
