package phpmyadmin_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/phpmyadmin"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, phpmyadmin.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, phpmyadmin.New) }
