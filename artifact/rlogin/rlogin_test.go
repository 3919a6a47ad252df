package rlogin_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/rlogin"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, rlogin.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, rlogin.New) }
