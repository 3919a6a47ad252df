// Package hooktest is the test kit of the artefacts that package hook makes.
package hooktest

import (
	"slices"
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/event"
)

// Case is a file and what it makes run: each "account runs command", in the order of the lines.
type Case struct {
	Mechanism, Path, Content string
	Want                     []string
}

// Table holds each case against the artefact of its mechanism, and tells mechanisms that have no case.
func Table(t *testing.T, all []*artifact.Artifact, cases []Case) {
	t.Helper()
	seen := map[string]bool{}
	for _, tc := range cases {
		seen[tc.Mechanism] = true
		t.Run(tc.Mechanism+tc.Path, func(t *testing.T) {
			i := slices.IndexFunc(all, func(a *artifact.Artifact) bool { return a.Name == tc.Mechanism })
			if i < 0 {
				t.Fatal("no such artefact")
			}
			if got := runs(t, all[i], tc.Path, tc.Content); !slices.Equal(got, tc.Want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.Want, "\n"))
			}
		})
	}
	for _, a := range all {
		if !seen[a.Name] {
			t.Errorf("%s has no case", a.Name)
		}
	}
}

func runs(t testing.TB, a *artifact.Artifact, path, content string) (out []string) {
	for e, err := range a.Parse(t.Context(), input(path, []byte(content))) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != event.Hookup || e.Text(event.RecordType) != a.Name || e.Text(event.Message) == "" {
			t.Errorf("an event that is not whole: %s %s %q", e.Kind, e.Text(event.RecordType), e.Text(event.Message))
		}
		out = append(out, e.Text(event.UserName)+" runs "+e.Text(event.CommandLine))
	}
	return out
}

func input(path string, b []byte) *artifact.Input {
	in := artifacttest.Input(b)
	in.Path = path
	in.Host.Users = []artifact.User{{Name: "root", Home: "/root"}, {Name: "amy", Home: "/home/amy", UID: 1000}}
	return in
}

// Fuzz reads whatever bytes as the files of all artefacts.
func Fuzz(f *testing.F, all func() []*artifact.Artifact, cases []Case) {
	for _, tc := range cases {
		f.Add(tc.Path, []byte(tc.Content))
	}
	f.Fuzz(func(t *testing.T, path string, b []byte) {
		for _, a := range all() {
			artifacttest.Run(t, a, input(path, b))
		}
	})
}
