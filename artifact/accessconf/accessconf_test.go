package accessconf_test

import (
	"testing"

	"telltale/artifact/accessconf"
	"telltale/artifact/internal/hooktest"
)

var cases = []hooktest.Case{
	{Mechanism: "sshd-setting", Path: "/etc/ssh/sshd_config", Content: "# no\nPort 22\nAuthorizedKeysFile .ssh/authorized_keys /var/tmp/.k\nAuthorizedKeysCommand=/usr/bin/keys %u\nAuthorizedKeysCommandUser nobody\nSubsystem\tsftp\t/usr/lib/openssh/sftp-server\nMatch User bob\n  ForceCommand \"/bin/x y\"\nMatch exec \"/bin/z\"\n",
		Want: []string{"the account that logs in runs .ssh/authorized_keys /var/tmp/.k", "the account that AuthorizedKeysCommandUser names runs /usr/bin/keys %u", "the account that logs in runs /usr/lib/openssh/sftp-server", "the account that logs in runs /bin/x y", "root runs /bin/z"}},
	{Mechanism: "ssh-setting", Path: "/home/amy/.ssh/config", Content: "Host *\n  ProxyCommand none\n  LocalCommand /tmp/x %h\n  User bob\nMatch exec \"/bin/true\"\n", Want: []string{"amy runs /tmp/x %h", "amy runs /bin/true"}},
	{Mechanism: "pam-rule", Path: "/etc/pam.d/sshd", Content: "@include common-auth\nauth required pam_unix.so nullok\nauth\t[success=1 default=ignore]\tpam_exec.so quiet expose_authtok /usr/local/bin/log\n-session optional /lib/x/pam_y.so\nauth sufficient pam_permit.so\nauth required pam_permit.so\nauth [success=1\n",
		Want: []string{"root runs pam_exec.so quiet expose_authtok /usr/local/bin/log", "root runs /lib/x/pam_y.so", "root runs pam_permit.so"}},
	{Mechanism: "pam-rule", Path: "/etc/pam.conf", Content: "login auth sufficient pam_permit.so\n", Want: []string{"root runs pam_permit.so"}},
	{Mechanism: "sudo-setting", Path: "/etc/sudo.conf", Content: "Plugin sudoers_policy /usr/local/lib/x.so\nSet disable_coredump false\n", Want: []string{"root runs /usr/local/lib/x.so"}},
	{Mechanism: "sudo-setting", Path: "/etc/sudoers", Content: "Defaults\tenv_keep += \"LD_PRELOAD\"\nDefaults:amy !authenticate\nDefaults mail_badpass\nroot ALL=(ALL) ALL\n", Want: []string{`root runs env_keep += "LD_PRELOAD"`, "root runs !authenticate"}},
	{Mechanism: "doas-rule", Path: "/etc/doas.conf", Content: "permit nopass www-data\npermit amy as bob cmd /bin/ls\ndeny x\n", Want: []string{"root runs any command", "bob runs /bin/ls"}},
	{Mechanism: "polkit-rule", Path: "/etc/polkit-1/rules.d/1.rules", Content: "polkit.addRule(function(action, subject) {\n  polkit.spawn([\"/tmp/x\"]);\n  // return polkit.Result.YES;\n  return polkit.Result.YES;\n});\n", Want: []string{`polkitd runs polkit.spawn(["/tmp/x"]);`, "root runs return polkit.Result.YES;"}},
	{Mechanism: "dbus-service", Path: "/usr/share/dbus-1/system-services/a.service", Content: "[D-BUS Service]\nName=a.b\nUser=bob\nExec=/usr/bin/x --y\n", Want: []string{"bob runs /usr/bin/x --y"}},
	{Mechanism: "dbus-service", Path: "/home/amy/.local/share/dbus-1/services/a.service", Content: "Name=a.b\nExec=/tmp/x\n", Want: []string{"the account whose session it is runs /tmp/x"}},
	{Mechanism: "name-service", Path: "/etc/nsswitch.conf", Content: "passwd: files [success=return evil] systemd back # no\nhosts: files dns\n", Want: []string{"every user runs libnss_back.so.2"}},
}

func TestReads(t *testing.T) { hooktest.Table(t, accessconf.All(), cases) }

func FuzzParse(f *testing.F) { hooktest.Fuzz(f, accessconf.All, cases) }
