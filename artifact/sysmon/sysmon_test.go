package sysmon_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/sysmon"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, sysmon.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, sysmon.New) }
