package crushftp_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/crushftp"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, crushftp.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, crushftp.New) }
