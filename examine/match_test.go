package examine

import (
	"testing"

	"telltale/artifact"
	"telltale/host"
)

func TestRotation(t *testing.T) {
	for _, tc := range []struct {
		path, base string
		older      string // a name of the same log that must be older
	}{
		{"/var/log/auth.log", "/var/log/auth.log", "/var/log/auth.log.1"},
		{"/var/log/auth.log.1", "/var/log/auth.log", "/var/log/auth.log.2.gz"},
		{"/var/log/auth.log.9.gz", "/var/log/auth.log", "/var/log/auth.log.10.gz"},
		{"/var/log/messages-20240108.xz", "/var/log/messages", "/var/log/messages-20240101.xz"},
		{"/var/log/messages", "/var/log/messages", "/var/log/messages-20240101"},
		{"/var/log/nginx/access.log-20240101-1704067200.gz", "/var/log/nginx/access.log", "/var/log/nginx/access.log-20231231.gz"},
		{"/var/log/secure.old", "/var/log/secure", "/var/log/secure.2"},
		{"/var/log/httpd/access_log.2024-01-02", "/var/log/httpd/access_log", "/var/log/httpd/access_log.2024-01-01"},
		{"/var/log/journal/x/system.journal", "/var/log/journal/x/system.journal", "/var/log/journal/x/system@0123-000000000000aaaa-00060dfc7a5d0000.journal"},
		{"/opt/tomcat/logs/catalina.2024-01-02.log", "/opt/tomcat/logs/catalina.log", "/opt/tomcat/logs/catalina.2024-01-01.log.gz"},
		{"/opt/tomcat/logs/localhost_access_log.2024-01-02.txt", "/opt/tomcat/logs/localhost_access_log.txt", "/opt/tomcat/logs/localhost_access_log.2023-12-31.txt"},
		{"/opt/tomcat/logs/localhost_access_log.txt", "/opt/tomcat/logs/localhost_access_log.txt", "/opt/tomcat/logs/localhost_access_log.2023-12-31.txt"},
		{"/var/log/mongodb/mongod.log.2024-01-20T03-04-05", "/var/log/mongodb/mongod.log", "/var/log/mongodb/mongod.log.2024-01-20T03-04-04"},
		{"/var/log/app-12.log", "/var/log/app-12.log", ""},
		{"/var/log/btmp.zst", "/var/log/btmp", ""},
		{"/var/log/app-1.2.3", "/var/log/app-1.2", ""},
	} {
		base, age, _ := rotation(tc.path)
		if base != tc.base {
			t.Errorf("%s belongs to %s, want %s", tc.path, base, tc.base)
		}
		if tc.older == "" {
			continue
		}
		if b, a, _ := rotation(tc.older); b != base || a <= age {
			t.Errorf("%s (%d) should be older than %s (%d) and of the same log (%s)", tc.older, a, tc.path, age, b)
		}
	}
}

func TestMatch(t *testing.T) {
	a := &artifact.Artifact{Name: "a", Files: []string{"/var/log/{auth.log,secure}", "/etc/cron.d/*", "{home}/.ssh/authorized_keys", "{webroot}/**/*.php", "/var/www/**/logs/*access*", "{accesslog}", "/var/log/domlogs/**", "!**/domlogs/**/*{-bytes_log,.offset}*"}}
	h := &host.Host{Users: []host.User{{Name: "bob", Home: "/srv/bob"}}, Sites: host.Sites{Roots: []string{"/srv/site"}, Formats: map[string]host.LogFormat{"/srv/log/a.txt": {}}}}
	m := newMatcher([]*artifact.Artifact{a}, h)
	for path, want := range map[string]bool{
		"/var/log/auth.log": true, "/var/log/secure": true, "/var/log/auth.log.1": false, "/var/log/x/auth.log": false, "/etc/cron.d/x": true, "/etc/cron.d/x/y": false,
		"/srv/bob/.ssh/authorized_keys": true, "/root/.ssh/authorized_keys": true, "/home/gone/.ssh/authorized_keys": true, "/srv/amy/.ssh/authorized_keys": false,
		"/srv/site/x.php": true, "/srv/site/a/b/c/x.php": true, "/srv/site/x.php.txt": false, "/var/www/a/b/logs/ssl_access.log": true, "/srv/log/a.txt": true, "/auth.log": false,
		"/var/log/domlogs/example.org": true, "/var/log/domlogs/bob/example.org-ssl_log": true, "/var/log/domlogs/example.org-bytes_log": false, "/var/log/domlogs/bob/example.org.offset.1": false,
	} {
		if got := len(m.find(path)) > 0; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if len(m.findBase("auth.log")) != 1 {
		t.Error("a log in a flat folder is not told by its name")
	}
}
