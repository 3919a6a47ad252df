package login_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/login"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, login.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, login.New) }
