package volatile_test

import (
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/volatile"
)

func TestGolden(t *testing.T) {
	for _, a := range volatile.All() {
		t.Run(a.Name, func(t *testing.T) {
			artifacttest.GoldenAs(t, a, a.Name+".jsonl", "/state/01-x/"+a.Name+".jsonl", "")
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, a := range volatile.All() {
		if a.Name == "processes" {
			artifacttest.Fuzz(f, func() *artifact.Artifact { return a }, `{"pid":1,"files":[{"fd":0,"target":"socket:[1]"}],"mapped":[{"path":"/x"}],"args":["a"]}`+"\n", "{\"pid\":\"x\"}\n", "{\n")
		}
	}
}

func FuzzContradictions(f *testing.F) {
	for _, a := range volatile.All() {
		if a.Name == "contradictions" {
			artifacttest.Fuzz(f, func() *artifact.Artifact { return a }, `{"what":"process","shown":["a"],"repeats":3}`+"\n", "null\n")
		}
	}
}
