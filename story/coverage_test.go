package story

import (
	"strings"
	"testing"

	"telltale/casefile"
	"telltale/detect"
)

// TestUnwritten: a login from a new address, outside, is asked about only where no shell history tells what was typed in it.
func TestUnwritten(t *testing.T) {
	amy := login(detect.Login, "amy", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{NewAddress: true, Longest: 600e9})
	for _, tc := range []struct {
		name    string
		history *casefile.Coverage
		asks    bool
	}{
		{"no history", nil, true},
		{"a history without times", &casefile.Coverage{Path: "/home/amy/.bash_history", Artifact: "shell-history", Records: 3}, false},
		{"a history that goes on", &casefile.Coverage{Path: "/home/amy/.bash_history", Artifact: "shell-history", Records: 3, First: "2024-01-01T00:00:00Z", Last: "2024-01-02T02:00:00Z"}, false},
		{"a history that ended before", &casefile.Coverage{Path: "/home/amy/.bash_history", Artifact: "shell-history", Records: 3, First: "2024-01-01T00:00:00Z", Last: "2024-01-01T02:00:00Z"}, true},
		{"an empty one", &casefile.Coverage{Path: "/home/amy/.bash_history", Artifact: "shell-history"}, true},
		{"somebody else's", &casefile.Coverage{Path: "/home/amyx/.bash_history", Artifact: "shell-history", Records: 3}, true},
	} {
		set := full()
		set.Users = []detect.User{{Name: "amy", UID: 1000, Home: "/home/amy", Shell: "/bin/bash"}}
		if tc.history != nil {
			set.Coverage = append(set.Coverage, *tc.history)
		}
		s := Build(t.Context(), []detect.Finding{amy}, set)
		check(t, &s)
		if strings.Contains(s.Verdict.Summary, "no shell history") != tc.asks {
			t.Errorf("%s: %s: %s", tc.name, s.Verdict.Status, s.Verdict.Summary)
		}
	}
}

// TestBound: nobody is asked what was typed by a key that is bound to a command, as long as no other key lets the account in.
func TestBound(t *testing.T) {
	git := login(detect.Login, "git", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{NewAddress: true, Longest: 600e9})
	with := func(path, options string) detect.Finding {
		k := key("SHA256:"+path, "/home/git/.ssh/authorized_keys", "git", "00:02:00")
		k.Runs = options
		return k
	}
	forced := with("a", `command="/usr/bin/gitlab-shell key-1",no-pty`)
	for _, tc := range []struct {
		name string
		keys []detect.Finding
		asks bool
	}{
		{"one that is bound", []detect.Finding{forced}, false},
		{"one that is bound to a shell", []detect.Finding{with("a", `command="/bin/bash"`)}, true},
		{"one that runs what was asked for", []detect.Finding{with("a", `command="/usr/bin/run $SSH_ORIGINAL_COMMAND"`)}, true},
		{"another that is not", []detect.Finding{forced, with("b", "")}, true},
		{"none", nil, true},
	} {
		set := full()
		set.Users = []detect.User{{Name: "git", UID: 998, Home: "/home/git", Shell: "/bin/sh"}}
		s := Build(t.Context(), append([]detect.Finding{git}, tc.keys...), set)
		check(t, &s)
		if strings.Contains(s.Verdict.Summary, "no shell history") != tc.asks {
			t.Errorf("%s: %s: %s", tc.name, s.Verdict.Status, s.Verdict.Summary)
		}
	}
}
