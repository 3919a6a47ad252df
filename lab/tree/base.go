package tree

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"sort"
	"strings"
	"time"

	"telltale/lab"
	"telltale/lab/site"
)

// systemUsers are Debian 12's, with the ids of a usual installation.
var systemUsers = []user{
	{name: "root", home: "/root", shell: "/bin/bash"}, {name: "daemon", uid: 1, gid: 1, home: "/usr/sbin"}, {name: "bin", uid: 2, gid: 2, home: "/bin"}, {name: "sys", uid: 3, gid: 3, home: "/dev"},
	{name: "man", uid: 6, gid: 12, home: "/var/cache/man"}, {name: "lp", uid: 7, gid: 7, home: "/var/spool/lpd"}, {name: "mail", uid: 8, gid: 8, home: "/var/mail"}, {name: "www-data", uid: 33, gid: 33, home: "/var/www"},
	{name: "backup", uid: 34, gid: 34, home: "/var/backups"}, {name: "nobody", uid: 65534, gid: 65534, home: "/nonexistent"}, {name: "_apt", uid: 42, gid: 65534, home: "/nonexistent"},
	{name: "messagebus", uid: 100, gid: 107, home: "/nonexistent"}, {name: "sshd", uid: 101, gid: 65534, home: "/run/sshd"}, {name: "postfix", uid: 102, gid: 109, home: "/var/spool/postfix"},
	{name: "redis", uid: 103, gid: 111, home: "/var/lib/redis"}, {name: "ftp", uid: 104, gid: 112, home: "/srv/ftp"}, {name: "dovecot", uid: 105, gid: 113, home: "/usr/lib/dovecot"},
}

// program gives a stand-in of an ELF file: its head, and bytes of its own.
func program(name string) []byte {
	r := rand.New(rand.NewPCG(uint64(len(name))*7919+uint64(name[0]), 42))
	b := make([]byte, 3000+r.IntN(9000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	copy(b, "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00\x01\x00\x00\x00")
	copy(b[64:], "/lib64/ld-linux-x86-64.so.2\x00"+name)
	return b
}

// debian are the packages of every server, with the programs that they bring.
var debian = []struct{ name, version, programs string }{
	{"bash", "5.2.15-2+b7", "/bin/bash"}, {"coreutils", "9.1-1", "/bin/ls /bin/cat /bin/cp /bin/chmod /bin/chown /bin/mkdir /bin/rm /bin/touch /usr/bin/id /usr/bin/whoami /usr/bin/tail"},
	{"procps", "2:4.0.2-3", "/bin/ps /usr/bin/top /usr/bin/w"}, {"iproute2", "6.1.0-3", "/bin/ss /bin/ip"}, {"net-tools", "2.10-0.1", "/bin/netstat /sbin/ifconfig"}, {"login", "1:4.13+dfsg1-1", "/bin/login /bin/su"},
	{"passwd", "1:4.13+dfsg1-1", "/usr/bin/passwd /usr/sbin/useradd /usr/sbin/usermod /usr/sbin/chpasswd"}, {"sudo", "1.9.13p3-1+deb12u1", "/usr/bin/sudo"}, {"openssh-server", "1:9.2p1-2+deb12u2", "/usr/sbin/sshd"},
	{"openssh-client", "1:9.2p1-2+deb12u2", "/usr/bin/ssh /usr/bin/scp"}, {"cron", "3.0pl1-162", "/usr/sbin/cron /usr/bin/crontab"}, {"rsyslog", "8.2302.0-1", "/usr/sbin/rsyslogd"},
	{"systemd", "252.22-1~deb12u1", "/lib/systemd/systemd /bin/systemctl /lib/systemd/systemd-logind"}, {"wget", "1.21.3-1+b2", "/usr/bin/wget"}, {"curl", "7.88.1-10+deb12u5", "/usr/bin/curl"},
	{"dash", "0.5.12-2", "/bin/dash"}, {"logrotate", "3.21.0-1", "/usr/sbin/logrotate"}, {"libpam-modules", "1.5.2-6+deb12u1", "/lib/x86_64-linux-gnu/security/pam_unix.so"}, {"libc6", "2.36-9+deb12u4", "/lib/x86_64-linux-gnu/libc.so.6"},
}

// serviceOf are the packages of the services.
var serviceOf = map[lab.Service][]struct{ name, version, programs string }{
	lab.Web:     {{"apache2", "2.4.57-2", "/usr/sbin/apache2"}, {"php8.2-cli", "8.2.7-1~deb12u1", "/usr/bin/php8.2"}},
	lab.FTP:     {{"vsftpd", "3.0.3-13+b2", "/usr/sbin/vsftpd"}},
	lab.Mail:    {{"postfix", "3.7.6-0+deb12u2", "/usr/sbin/postfix"}, {"dovecot-core", "1:2.3.19.1+dfsg1-2.1", "/usr/sbin/dovecot"}},
	lab.Redis:   {{"redis-server", "5:7.0.15-1~deb12u1", "/usr/bin/redis-server"}},
	lab.Samba:   {{"samba", "2:4.17.12+dfsg-0+deb12u1", "/usr/sbin/smbd"}},
	lab.ProFTPD: {{"proftpd-core", "1.3.5a-1", "/usr/sbin/proftpd"}},
}

// conf are the packages' configuration files.
func (s *server) conf(pkg string) map[string]string {
	switch pkg {
	case "openssh-server":
		return map[string]string{"/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nPasswordAuthentication yes\nUsePAM yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n",
			"/lib/systemd/system/ssh.service": "[Unit]\nDescription=OpenBSD Secure Shell server\n[Service]\nExecStart=/usr/sbin/sshd -D\n[Install]\nWantedBy=multi-user.target\n"}
	case "cron":
		return map[string]string{"/etc/crontab": "SHELL=/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }\n",
			"/etc/cron.d/.placeholder": "# DO NOT EDIT OR REMOVE\n", "/lib/systemd/system/cron.service": "[Unit]\nDescription=Regular background program processing daemon\n[Service]\nExecStart=/usr/sbin/cron -f\n[Install]\nWantedBy=multi-user.target\n"}
	case "rsyslog":
		return map[string]string{"/etc/rsyslog.conf": "auth,authpriv.* /var/log/auth.log\n*.*;auth,authpriv.none -/var/log/syslog\ncron.* /var/log/cron.log\nkern.* -/var/log/kern.log\nmail.* -/var/log/mail.log\n"}
	case "sudo":
		return map[string]string{"/etc/sudoers": "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"}
	case "bash":
		return map[string]string{"/etc/bash.bashrc": "# System-wide .bashrc file\n", "/etc/skel/.bashrc": "# ~/.bashrc\n", "/etc/skel/.profile": "# ~/.profile\n"}
	case "apache2":
		return map[string]string{"/etc/apache2/apache2.conf": "ErrorLog ${APACHE_LOG_DIR}/error.log\nLogFormat \"%h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"\" combined\nIncludeOptional sites-enabled/*.conf\n",
			"/etc/apache2/envvars": "export APACHE_RUN_USER=www-data\nexport APACHE_LOG_DIR=/var/log/apache2\n", "/etc/apache2/sites-enabled/000-default.conf": "<VirtualHost *:80>\n\tDocumentRoot /var/www/html\n\tErrorLog ${APACHE_LOG_DIR}/error.log\n\tCustomLog ${APACHE_LOG_DIR}/access.log combined\n</VirtualHost>\n",
			"/lib/systemd/system/apache2.service": "[Unit]\nDescription=The Apache HTTP Server\n[Service]\nExecStart=/usr/sbin/apachectl start\n[Install]\nWantedBy=multi-user.target\n"}
	case "php8.2-cli":
		return map[string]string{"/etc/cron.d/php": "09,39 * * * * root [ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi\n"}
	case "vsftpd":
		return map[string]string{"/etc/vsftpd.conf": "listen_ipv6=YES\nlocal_enable=YES\nwrite_enable=YES\nuse_localtime=YES\nxferlog_enable=YES\n"}
	case "postfix":
		return map[string]string{"/etc/postfix/main.cf": "myhostname = " + s.setup.Hostname + "\nsmtpd_sasl_type = dovecot\n", "/etc/postfix/master.cf": "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"}
	case "redis-server":
		return map[string]string{"/etc/redis/redis.conf": "bind 0.0.0.0\nprotected-mode no\nlogfile /var/log/redis/redis-server.log\ndir /var/lib/redis\n"}
	case "samba":
		return map[string]string{"/etc/samba/smb.conf": "[global]\n log level = 2\n log file = /var/log/samba/log.%m\n map to guest = bad user\n vfs objects = full_audit\n full_audit:prefix = %u|%I|%m|%S\n full_audit:success = openat pwrite renameat unlinkat\n[www]\n path = /var/www/html\n guest ok = yes\n writable = yes\n"}
	case "proftpd-core":
		return map[string]string{"/etc/proftpd/proftpd.conf": "ServerName \"" + s.setup.Hostname + "\"\nSystemLog /var/log/proftpd/proftpd.log\nExtendedLog /var/log/proftpd/extended.log ALL\nLoadModule mod_copy.c\n"}
	}
	return nil
}

// build makes the server as it is before its first day.
func (s *server) build() error {
	for _, d := range []string{"/bin", "/boot", "/dev", "/etc/cron.hourly", "/etc/cron.daily", "/etc/systemd/system", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv/packages", "/sys",
		"/usr/local/bin", "/usr/share/zoneinfo", "/usr/lib/cgi-bin", "/var/backups", "/var/cache", "/var/lib/dpkg/info", "/var/log/apt", "/var/mail", "/var/spool/cron/crontabs", "/var/www"} {
		if err := s.mkdir(d, 0o755, 0, 0); err != nil {
			return err
		}
	}
	for _, d := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		if err := s.mkdir(d, 0o1777, 0, 0); err != nil {
			return err
		}
	}
	if _, err := s.write("/var/lib/dpkg/status", nil, 0o644, 0, 0); err != nil {
		return err
	}
	packages := debian
	for _, x := range s.setup.Services {
		packages = append(packages[:len(packages):len(packages)], serviceOf[x]...)
	}
	for _, p := range packages {
		var list []lab.File
		for _, f := range strings.Fields(p.programs) {
			mode := uint32(0o755)
			switch f {
			case "/bin/su", "/usr/bin/sudo", "/usr/bin/passwd":
				mode = 0o4755
			}
			list = append(list, lab.File{Path: f, Owner: "root", Mode: mode, Data: program(f)})
		}
		for f, text := range s.conf(p.name) {
			list = append(list, lab.File{Path: f, Owner: "root", Mode: 0o644, Data: []byte(text)})
		}
		if err := s.owned(p.name, p.version, "amd64", list); err != nil {
			return err
		}
	}
	built := s.clock.AddDate(0, -4, -s.rand.IntN(60))
	if err := s.each(func(p string, n *inode) error {
		if !n.dir() && !strings.HasPrefix(p, "/var/") {
			n.mtime = built // packaged files keep the time of their building
		}
		return nil
	}); err != nil {
		return err
	}
	s.clock = s.clock.Add(47 * time.Minute)
	return s.settle()
}

// settle is what the administrator sets up after the installation.
func (s *server) settle() error {
	x := &s.setup
	for p, text := range map[string]string{
		"/etc/os-release":     "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nID=debian\n",
		"/etc/debian_version": "12.4\n", "/etc/hostname": x.Hostname + "\n", "/etc/timezone": x.Zone + "\n", "/etc/hosts": "127.0.0.1\tlocalhost\n192.0.2.10\t" + x.Hostname + "." + s.play.Domain + " " + x.Hostname + "\n",
		"/etc/fstab": "/dev/vda1 / ext4 defaults 0 1\n", "/etc/machine-id": fmt.Sprintf("%016x%016x\n", s.rand.Uint64(), s.rand.Uint64()), "/etc/shells": "/bin/sh\n/bin/bash\n", "/etc/group": "", "/etc/passwd": "", "/etc/shadow": "",
	} {
		if _, err := s.write(p, []byte(text), 0o644, 0, 0); err != nil {
			return err
		}
	}
	s.find("/etc/shadow").mode = typeFile | 0o640
	if err := s.timezone(); err != nil {
		return err
	}
	if err := s.accounts(); err != nil {
		return err
	}
	for _, p := range []string{"/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog"} {
		n := s.fresh(typeFile|0o664, 0, 43)
		if p == "/var/log/btmp" {
			n.mode = typeFile | 0o660
		}
		if err := s.put(p, n); err != nil {
			return err
		}
	}
	if x.Has(lab.Web) {
		if err := s.mkdir("/var/log/apache2", 0o750, 0, 4); err != nil {
			return err
		}
		for _, f := range site.Files(x) {
			if err := s.placed(f); err != nil {
				return err
			}
		}
	}
	for svc, dirs := range map[lab.Service][]string{lab.Redis: {"/var/log/redis", "/var/lib/redis"}, lab.Samba: {"/var/log/samba"}, lab.ProFTPD: {"/var/log/proftpd"}} {
		for _, d := range dirs {
			if x.Has(svc) {
				if err := s.mkdir(d, 0o755, 0, 0); err != nil {
					return err
				}
			}
		}
	}
	if x.Has(lab.Samba) { // guests may write into the site: the weak spot
		s.find(site.Root).mode = typeDir | 0o777
	}
	if x.Has(lab.ProFTPD) {
		s.find(site.Root).mode = typeDir | 0o777
	}
	for _, f := range x.Files {
		if err := s.placed(f); err != nil {
			return err
		}
	}
	for i := range x.Packages {
		if _, err := s.write("/srv/packages/"+x.Packages[i].FileName(), []byte("!<arch>\ndebian-binary   "), 0o644, 0, 0); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) timezone() error {
	b, err := os.ReadFile("/usr/share/zoneinfo/" + s.setup.Zone)
	if err != nil {
		return fmt.Errorf("%w: install tzdata", err)
	}
	p := "/usr/share/zoneinfo/" + s.setup.Zone
	if err := s.placed(lab.File{Path: p, Owner: "root", Mode: 0o644, Data: b}); err != nil {
		return err
	}
	return s.link("/etc/localtime", p)
}

func (s *server) accounts() error {
	var passwd, shadow, group strings.Builder
	day := s.clock.Unix() / 86400
	groups := map[string]int{"adm": 4, "tty": 5, "utmp": 43, "shadow": 42, "crontab": 105}
	for i := range systemUsers {
		u := systemUsers[i]
		if u.shell == "" {
			u.shell = "/usr/sbin/nologin"
		}
		s.users[u.name] = &u
		groups[u.name] = u.gid
		fmt.Fprintf(&passwd, "%s:x:%d:%d:%s:%s:%s\n", u.name, u.uid, u.gid, u.name, u.home, u.shell)
		fmt.Fprintf(&shadow, "%s:*:%d:0:99999:7:::\n", u.name, day)
	}
	var sudoers []string
	for i, a := range s.setup.Accounts {
		u := &user{name: a.Name, password: a.Password, home: "/home/" + a.Name, shell: "/bin/bash", uid: 1000 + i, gid: 1000 + i, sudo: a.Sudo}
		s.users[a.Name] = u
		groups[a.Name] = u.gid
		secret := "!"
		if a.Password != "" {
			secret = hashed(a.Password)
		}
		if a.Sudo {
			sudoers = append(sudoers, a.Name)
			if err := s.placed(lab.File{Path: "/etc/sudoers.d/" + a.Name, Owner: "root", Mode: 0o440, Data: []byte(a.Name + " ALL=(ALL) NOPASSWD: ALL\n")}); err != nil {
				return err
			}
		}
		fmt.Fprintf(&passwd, "%s:x:%d:%d:,,,:%s:%s\n", u.name, u.uid, u.gid, u.home, u.shell)
		fmt.Fprintf(&shadow, "%s:%s:%d:0:99999:7:::\n", u.name, secret, day)
		if err := s.home(u, a.Keys); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(groups))
	for g := range groups {
		names = append(names, g)
	}
	sort.Slice(names, func(i, j int) bool {
		return groups[names[i]] < groups[names[j]] || groups[names[i]] == groups[names[j]] && names[i] < names[j]
	})
	for _, g := range names {
		fmt.Fprintf(&group, "%s:x:%d:\n", g, groups[g])
	}
	fmt.Fprintf(&group, "sudo:x:27:%s\n", strings.Join(sudoers, ","))
	s.add(s.find("/etc/passwd"), []byte(passwd.String()))
	s.add(s.find("/etc/shadow"), []byte(shadow.String()))
	s.add(s.find("/etc/group"), []byte(group.String()))
	return nil
}

func (s *server) home(u *user, keys []*lab.Key) error {
	if err := s.mkdir(u.home, 0o755, u.uid, u.gid); err != nil {
		return err
	}
	for _, f := range []string{".bashrc", ".profile"} {
		if _, err := s.write(path.Join(u.home, f), s.find("/etc/skel/"+f).data, 0o644, u.uid, u.gid); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		return nil
	}
	if err := s.mkdir(u.home+"/.ssh", 0o700, u.uid, u.gid); err != nil {
		return err
	}
	var lines []string
	for _, k := range keys {
		lines = append(lines, k.Public())
	}
	_, err := s.write(u.home+"/.ssh/authorized_keys", []byte(strings.Join(lines, "\n")+"\n"), 0o600, u.uid, u.gid)
	return err
}

// boot starts the daemons.
func (s *server) boot() {
	s.pids, s.booted = 300, s.clock
	s.daemons = map[string]int{}
	s.record("/var/log/wtmp", utmpRecord{kind: 2, line: "~", id: "~~", user: "reboot", host: "6.1.0-17-amd64", at: s.clock})
	s.say(kern, "kernel", "[    0.000000] Linux version 6.1.0-17-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP PREEMPT_DYNAMIC Debian 6.1.69-1 (2023-12-30)")
	for _, d := range []string{"systemd-logind", "rsyslogd", "cron", "sshd", "apache2", "postfix", "redis-server", "smbd"} {
		s.daemons[d] = s.pid() + len(d)
	}
	s.tick(3 * time.Second)
	s.say(auth, s.tag("systemd-logind"), "New seat seat0.")
	s.say(auth, s.tag("sshd"), "Server listening on 0.0.0.0 port 22.")
	s.say(auth, s.tag("sshd"), "Server listening on :: port 22.")
	s.say(cronFacility, s.tag("cron"), "(CRON) INFO (pidfile fd = 3)")
	s.say(daemon, "systemd[1]", "Reached target multi-user.target - Multi-User System.")
	if s.setup.Has(lab.Web) {
		s.log("/var/log/apache2/error.log", 0o640, fmt.Sprintf("[%s] [mpm_prefork:notice] [pid %d] AH00163: Apache/2.4.57 (Debian) configured -- resuming normal operations\n", s.clock.In(s.zone).Format("Mon Jan 02 15:04:05.000000 2006"), s.daemons["apache2"]))
	}
	if s.setup.Has(lab.Redis) {
		s.log("/var/log/redis/redis-server.log", 0o660, fmt.Sprintf("%d:M %s * Ready to accept connections\n", s.daemons["redis-server"], s.clock.In(s.zone).Format("02 Jan 2006 15:04:05.000")))
	}
}
