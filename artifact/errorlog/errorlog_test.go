package errorlog_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/errorlog"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, errorlog.New()) }

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, errorlog.New) }
