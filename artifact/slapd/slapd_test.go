package slapd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/slapd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, slapd.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, slapd.New) }
