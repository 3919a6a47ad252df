package dovecot_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/dovecot"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, dovecot.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, dovecot.New) }
