package pureftpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/pureftpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, pureftpd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, pureftpd.New) }
