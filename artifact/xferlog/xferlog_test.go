package xferlog_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/xferlog"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, xferlog.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, xferlog.New) }
