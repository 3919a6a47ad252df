package hookscript_test

import (
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/hookscript"
)

func member(t testing.TB, name string) *artifact.Artifact {
	for _, a := range hookscript.All() {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no artefact %q", name)
	return nil
}

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, member(t, "systemd-generator"), "generator.txt", "/etc/systemd/system-generators/x", "")
	artifacttest.GoldenAs(t, member(t, "git-hook"), "githook.txt", "/home/alice/site/.git/hooks/post-merge", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, func() *artifact.Artifact { return hookscript.All()[0] }, "#!/bin/sh\n/bin/x &\n", "\x7fELF\x02\n", "a\x00b\n")
}
