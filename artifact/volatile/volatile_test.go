package volatile_test

import (
	"os"
	"slices"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/kernel"
	"telltale/artifact/volatile"
	"telltale/event"
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

func FuzzKernelLog(f *testing.F) {
	for _, a := range volatile.All() {
		if a.Name == "kernel-log" {
			artifacttest.Fuzz(f, func() *artifact.Artifact { return a }, `{"at":"2026-04-27T19:52:45.5Z","text":"x: segfault at 0 ip 0"}`+"\n", "{}\n")
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

// TestKernelLogIsDecoded: what the kernel said is understood as in any log.
func TestKernelLogIsDecoded(t *testing.T) {
	b, err := os.ReadFile("testdata/kernel-log.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	in := artifacttest.Input(b)
	in.Messages = artifact.NewDecoders([]*artifact.Artifact{kernel.New()})
	var kinds []event.Kind
	for _, a := range volatile.All() {
		if a.Name != "kernel-log" {
			continue
		}
		for e, err := range a.Parse(t.Context(), in) {
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, e.Kind)
			if !e.At.Known() || len(e.Raw) == 0 {
				t.Errorf("%+v", e)
			}
		}
	}
	if want := []event.Kind{event.Boot, event.KernelNotice, event.KernelNotice}; !slices.Equal(kinds, want) {
		t.Errorf("%v", kinds)
	}
}
