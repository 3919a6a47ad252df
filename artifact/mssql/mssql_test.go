package mssql_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/mssql"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, mssql.New()) }

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, mssql.New) }
