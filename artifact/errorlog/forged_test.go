package errorlog_test

import (
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/errorlog"
)

// TestWordsOfOthersNameNobody has paths and scripts that imitate the server's own words about a login, and those.
func TestWordsOfOthersNameNobody(t *testing.T) {
	for _, tc := range []struct{ name, line, holds, not string }{
		{"a path", "2024-01-02 03:04:05: (response.c.300) file not found ... (No such file) /x IP: 198.51.100.9", "http-error", "source.ip"},
		{"the server's module", "2024-01-02 03:04:05: (mod_auth.c.791) password doesn't match for /x username: amy IP: 203.0.113.7", "source.ip=203.0.113.7", "198.51"},
		{"a script's imitation of the console", "2024-01-02 03:04:05.774649 [NOTICE] [12] [203.0.113.7:45164-6#Example] [STDERR] [WebAdmin Console] Failed Login Attempt - username:admin ip:192.0.2.9 url:/login.php", "child-output", "auth-failed"},
		{"a script's imitation of the server", "2024-01-02 03:04:05.774649 [NOTICE] [12] [203.0.113.7:45164-6#Example] [STDERR] User 'bob' failed to authenticate.", "child-output", "auth-failed"},
		{"the console", "2024-01-02 03:04:05.774649 [NOTICE] [12] [203.0.113.7:45164-6#_AdminVHost] [STDERR] [WebAdmin Console] Failed Login Attempt - username:admin ip:192.0.2.9 url:/login.php", "auth-failed", "child-output"},
		{"the server", "2024-01-02 03:04:05.774649 [NOTICE] [12] [203.0.113.7:45164-6#Example] User 'bob' failed to authenticate.", "auth-failed", "child-output"},
	} {
		got := string(artifacttest.Run(t, errorlog.New(), artifacttest.Input([]byte(tc.line+"\n"))))
		if !strings.Contains(got, tc.holds) || strings.Contains(got, tc.not) {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
}

// TestACustomersLogTellsOfNoLogin has the same lines in the server's own log and in one that a site's owner may write to.
func TestACustomersLogTellsOfNoLogin(t *testing.T) {
	const line = "2024/03/01 03:01:00 [info] 1#1: *7 client logged in, client: 198.51.100.7, server: 0.0.0.0:143, login: \"root\"\n"
	for path, want := range map[string]bool{"/var/log/nginx/error.log": true, "/home/bob/public_html/error_log": false, "/var/www/html/logs/error.log": false} {
		in := artifacttest.Input([]byte(line))
		in.Path = path
		if got := string(artifacttest.Run(t, errorlog.New(), in)); strings.Contains(got, "auth-accepted") != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
