package postfix_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/postfix"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, postfix.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, postfix.New) }
