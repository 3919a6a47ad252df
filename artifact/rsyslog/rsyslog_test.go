package rsyslog_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/rsyslog"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, rsyslog.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, rsyslog.New) }
