package sshd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/sshd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, sshd.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, sshd.New) }
