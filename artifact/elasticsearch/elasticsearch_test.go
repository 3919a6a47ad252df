package elasticsearch_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/elasticsearch"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, elasticsearch.New()) }

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, elasticsearch.New) }
