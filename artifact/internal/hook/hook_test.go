package hook_test

import (
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/internal/hook"
	"telltale/event"
)

func run(t *testing.T, a *artifact.Artifact, path, content string, mode uint16) (out []string) {
	t.Helper()
	in := artifacttest.Input([]byte(content))
	in.Path, in.Meta.Mode = path, mode
	in.Host.Users = []artifact.User{{Name: "alice", Home: "/srv/alice"}}
	for e, err := range a.Parse(t.Context(), in) {
		if err != nil {
			out = append(out, "damage")
			continue
		}
		out = append(out, e.Text(event.UserName)+"|"+e.Text(event.CommandLine)+"|"+e.Text(event.ProcessScript))
	}
	return out
}

func TestScript(t *testing.T) {
	a := hook.Script("x", "", "", "at boot", true, "/etc/x/*")
	for _, tc := range []struct {
		name, path, content string
		mode                uint16
		want                string
	}{
		{"a script", "/etc/x/a", "#!/bin/sh\n\n# no\n/bin/evil &\n", 0o755, "root|/etc/x/a| root|/etc/x/a|/bin/evil &"},
		{"not executable", "/etc/x/a", "/bin/evil\n", 0o644, ""},
		{"a mode that is not known", "/etc/x/a", "x", 0, "root|/etc/x/a|"},
		{"of a home", "/srv/alice/x", "x", 0o755, "alice|/srv/alice/x|"},
		{"of a home that is no more", "/home/bob/x", "x", 0o755, "bob|/home/bob/x|"},
		{"a program", "/etc/x/a", "\x7fELF\x02\nabcdef\n", 0o755, "root|/etc/x/a|"},
		{"NUL bytes, which shells pass over", "/etc/x/a", "/bin/evil\n\x00/bin/more\n", 0o755, "root|/etc/x/a| root|/etc/x/a|/bin/evil root|/etc/x/a|/bin/more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := strings.Join(run(t, a, tc.path, tc.content, tc.mode), " "); got != tc.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestTooMuch(t *testing.T) {
	a := hook.Settings("x", "", "", nil, hook.Named("=", "#", map[string]string{"run": "always"}))
	got := run(t, a, "/etc/x", strings.Repeat("run=/bin/x\n", 5000), 0o644)
	if len(got) != 2001 || got[2000] != "damage" {
		t.Errorf("%d found, the last %q", len(got), got[len(got)-1])
	}
}

func TestCutting(t *testing.T) {
	if n, v, ok := hook.Assigned([]byte(`a b = "c = d"`), "="); n != "a b" || v != "c = d" || !ok {
		t.Errorf("%q %q %t", n, v, ok)
	}
	if _, _, ok := hook.Assigned([]byte("=x"), "="); ok {
		t.Error("a value without a name")
	}
	if w, rest := hook.Word("  a\t b c"); w != "a" || rest != "b c" {
		t.Errorf("%q %q", w, rest)
	}
	if s, ok := hook.Section([]byte("[a]")); s != "a" || !ok {
		t.Errorf("%q", s)
	}
}
