package webmin_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/webmin"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, webmin.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, webmin.New) }
