package cron_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/cron"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, cron.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, cron.New) }
