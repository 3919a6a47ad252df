package examine

import (
	"testing"

	"telltale/artifact"
	artifacts "telltale/artifact/all"
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

// Many servers name their logs alike: in a folder without directories such a log is told by its content, and a member's own path must not claim the name.
func TestCommonNames(t *testing.T) {
	m := newMatcher(artifacts.Artifacts(), &host.Host{})
	for name, want := range map[string]int{"access_log": 0, "error_log": 0, "access.log": 0, "error.log": 0, "system.log": 0, "application.log": 0, "debug.log": 0, "panel.log": 0, "auth.log": 1} {
		if got := m.findBase(name); len(got) > want {
			t.Errorf("%s is claimed by %d members, among them %s", name, len(got), got[len(got)-1].Name)
		}
	}
}

func TestPanelLogs(t *testing.T) {
	m := newMatcher(artifacts.Artifacts(), &host.Host{Users: []host.User{{Name: "alice", Home: "/home/alice"}}})
	for path, want := range map[string]string{
		"/var/log/apache2/domlogs/example.org": "accesslog", "/usr/local/apache/domlogs/alice/example.org-ssl_log": "accesslog", "/etc/apache2/logs/domlogs/example.org": "accesslog",
		"/usr/local/apache/domlogs/example.org-bytes_log": "", "/var/log/apache2/domlogs/ftpxferlog": "xferlog", "/usr/local/apache/domlogs/ftp.example.org-ftp_log": "xferlog", "/home/alice/access-logs/example.org": "accesslog",
		"/home/alice/logs/example.org-Jan-2024": "accesslog", "/var/log/nginx/domains/example.org.log": "accesslog", "/var/log/nginx/domains/example.org.error.log": "errorlog", "/var/log/apache2/domains/example.org.bytes": "",
		"/var/www/vhosts/system/example.org/logs/access_ssl_log": "accesslog", "/var/www/vhosts/system/example.org/logs/proxy_access_ssl_log.processed": "accesslog", "/var/www/vhosts/system/example.org/logs/error_log": "errorlog",
		"/usr/local/psa/admin/logs/httpsd_access_log": "accesslog", "/usr/local/psa/admin/logs/panel.log": "plesk", "/var/log/ispconfig/httpd/example.org/access.log": "accesslog", "/var/log/ispconfig/httpd/example.org/error.log": "errorlog", "/var/log/ispconfig/auth.log": "ispconfig",
		"/usr/local/cpanel/logs/access_log": "cpanel", "/home/alice/public_html/blog/wp-content/debug.log": "errorlog", "/home/alice/public_html/blog/error_log": "errorlog", "/usr/local/hestia/log/auth.log": "hestia", "/var/log/exim_mainlog": "exim",
		"/var/log/lfd.log": "syslogfile", "/usr/local/maldetect/logs/event_log": "syslogfile",
	} {
		got := ""
		for _, a := range m.find(path) {
			got += a.Name
		}
		if got != want {
			t.Errorf("%s is read by %q, want %q", path, got, want)
		}
	}
}
