package host

import (
	"slices"
	"testing"
)

func TestLogPaths(t *testing.T) {
	l := LogPaths{files: map[string]bool{}}
	l.take([]byte("auth,authpriv.*\t-/data/logins/sshd\n# old.* /data/old\n*.* action(type=\"omfile\" file=\"/data/all.log\" template=\"x\")\n$template T,\"/srv/hosts/%HOSTNAME%/messages\"\n*.* /dev/console\nlocal0.* \"/%x%/y\"\n"), true)
	l.take([]byte("[global]\n   log file = /opt/smb/log.%m\n   path = /srv/share\n; log file = /srv/no\n"), false)
	for p, want := range map[string]bool{
		"/data/logins/sshd": true, "/data/all.log": true, "/srv/hosts/web1/messages": true, "/opt/smb/log.pc7": true, "/var/log/any/thing": true,
		"/data/old": false, "/dev/console": false, "/srv/share": false, "/srv/no": false, "/data/logins/other": false, "/y": false, "/opt/other": false,
	} {
		if l.Holds(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
	if !slices.Equal(l.folders, []string{"/srv/hosts/", "/opt/smb/"}) {
		t.Error(l.folders)
	}
}
