package users_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/users"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, users.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, users.New) }
