package tree

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"telltale/internal/state"
	"telltale/lab"
)

// kernelNames are some of the threads that every kernel has.
var kernelNames = []string{"kthreadd", "rcu_gp", "rcu_par_gp", "slub_flushwq", "netns", "kworker/0:0H-events_highpri", "mm_percpu_wq", "rcu_tasks_kthread", "ksoftirqd/0", "rcu_preempt", "migration/0", "cpuhp/0", "kdevtmpfs", "kauditd", "khungtaskd", "oom_reaper",
	"writeback", "kcompactd0", "ksmd", "khugepaged", "kintegrityd", "kblockd", "blkcg_punt_bio", "kswapd0", "kthrotld", "irq/24-aerdrv", "scsi_eh_0", "jbd2/vda1-8", "ext4-rsv-conver", "kworker/u4:2-events_unbound", "kworker/0:1-events"}

// residents are what every such server runs besides its services.
var residents = []struct{ account, exe, args, unit, listen string }{
	{"root", "/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald", "systemd-journald.service", ""},
	{"root", "/usr/bin/udevadm", "/lib/systemd/systemd-udevd", "systemd-udevd.service", ""},
	{"root", "/usr/lib/systemd/systemd-logind", "/lib/systemd/systemd-logind", "systemd-logind.service", ""},
	{"messagebus", "/usr/bin/dbus-daemon", "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only", "dbus.service", ""},
	{"root", "/usr/sbin/cron", "/usr/sbin/cron -f", "cron.service", ""},
	{"root", "/usr/sbin/rsyslogd", "/usr/sbin/rsyslogd -n -iNONE", "rsyslog.service", ""},
	{"root", "/usr/sbin/agetty", "/sbin/agetty -o -p -- \\u --noclear - linux", "getty@tty1.service", ""},
	{"root", "/usr/bin/python3.11", "/usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal", "unattended-upgrades.service", ""},
	{"root", "/usr/bin/python3.11", "/usr/bin/python3 /usr/bin/fail2ban-server -xf start", "fail2ban.service", ""},
	{"mysql", "/usr/sbin/mariadbd", "/usr/sbin/mariadbd", "mariadb.service", "127.0.0.1:3306"},
	{"daemon", "/usr/bin/node", "/usr/bin/node /srv/tickets/server.js", "tickets.service", "127.0.0.1:3000"},
	{"root", "/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "ssh.service", "0.0.0.0:22"},
}

// servicesOf are the daemons of the services: the first of each begins the others.
var servicesOf = map[lab.Service][]struct{ account, exe, args, unit, listen string }{
	lab.Web:     {{"root", "/usr/sbin/apache2", "/usr/sbin/apache2 -k start", "apache2.service", "0.0.0.0:80"}, {"root", "/usr/sbin/php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "php8.2-fpm.service", ""}},
	lab.FTP:     {{"root", "/usr/sbin/vsftpd", "/usr/sbin/vsftpd /etc/vsftpd.conf", "vsftpd.service", "[::]:21"}},
	lab.Mail:    {{"root", "/usr/lib/postfix/sbin/master", "/usr/lib/postfix/sbin/master -w", "postfix@-.service", "0.0.0.0:25"}, {"root", "/usr/sbin/dovecot", "/usr/sbin/dovecot -F", "dovecot.service", "0.0.0.0:143"}},
	lab.Redis:   {{"root", "/usr/bin/redis-server", "/usr/bin/redis-server 0.0.0.0:6379", "redis-server.service", "0.0.0.0:6379"}},
	lab.Samba:   {{"root", "/usr/sbin/smbd", "/usr/sbin/smbd --foreground --no-process-group", "smbd.service", "0.0.0.0:445"}},
	lab.ProFTPD: {{"root", "/usr/sbin/proftpd", "proftpd: (accepting connections)", "proftpd.service", "[::]:21"}},
}

// residents fills in what an honest server runs.
func (t *table) residents() {
	t.top = t.run(nil, 1, "root", "/usr/lib/systemd/systemd", t.s.booted, "/sbin/init")
	t.top.Name, t.top.Cgroup, t.top.Unit = "systemd", "/init.scope", "init.scope"
	for i, name := range kernelNames {
		t.kernelThread(2+3*i, 2*min(1, i), name)
	}
	for _, d := range residents {
		t.daemon(d.account, d.exe, d.args, d.unit, d.listen)
	}
	for _, svc := range t.s.setup.Services {
		for _, d := range servicesOf[svc] {
			t.children(svc, t.daemon(d.account, d.exe, d.args, d.unit, d.listen))
		}
	}
	t.database()
}

// daemon begins a service of the system's at its number in the logs, if they know one.
func (t *table) daemon(account, exe, args, unitName, listen string) *state.Process {
	base := exe[strings.LastIndexByte(exe, '/')+1:]
	pid := t.s.daemons[base]
	if base == "master" {
		pid = t.s.daemons["postfix"]
	}
	if pid == 0 {
		pid = 240 + len(t.procs)
	}
	words := strings.Fields(args)
	if strings.Contains(args, ": ") { // a title that it gave itself
		words = []string{args}
	}
	p := unit(t.run(t.top, pid, account, exe, t.s.booted.Add(time.Duration(2+t.r.IntN(3))*time.Second), words...), unitName)
	p.SID, p.PGID = p.PID, p.PID
	t.environment(p, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8", fmt.Sprintf("INVOCATION_ID=%016x%016x", t.r.Uint64(), t.r.Uint64()))
	if listen != "" {
		t.listens(p, listen)
	}
	return p
}

// child is a process that a daemon made: of its group, and of an account of its own.
func (t *table) child(p *state.Process, account, exe string, args ...string) *state.Process {
	c := t.run(p, p.PID+1, account, exe, t.s.clock.Add(-time.Duration(3+t.r.IntN(3000))*time.Second), args...)
	c.PGID, c.SID, c.Env, c.EnvSize = p.PGID, p.SID, p.Env, p.EnvSize
	return c
}

// children are a service's processes, and whom it serves at the moment.
func (t *table) children(svc lab.Service, p *state.Process) {
	staff := t.s.play.Staff
	switch {
	case strings.HasSuffix(p.Exe, "apache2"):
		t.webServer(p)
	case strings.HasSuffix(p.Exe, "php-fpm8.2"):
		for range 3 {
			c := t.child(p, "www-data", p.Exe, "php-fpm: pool www")
			c.Dir, c.Anonymous = "/var/www/html", 1<<20
			t.loopback(c, 3306)
		}
	case strings.HasSuffix(p.Exe, "master"):
		for _, n := range []string{"qmgr", "pickup", "tlsmgr", "cleanup", "trivial-rewrite", "smtpd", "smtp"} {
			c := t.child(p, "postfix", "/usr/lib/postfix/sbin/"+n, n, "-t", "unix", "-u", "-c")
			c.Dir = "/var/spool/postfix"
			switch n {
			case "smtpd":
				t.socket(c, "tcp", serverIP+":25", fmt.Sprintf("192.0.2.5:%d", t.port()), "established")
			case "smtp":
				t.socket(c, "tcp", fmt.Sprintf("%s:%d", serverIP, t.port()), "192.0.2.5:25", "established")
			}
		}
	case strings.HasSuffix(p.Exe, "dovecot"):
		t.child(p, "dovecot", "/usr/lib/dovecot/anvil", "dovecot/anvil")
		t.child(p, "root", "/usr/lib/dovecot/log", "dovecot/log")
		for _, who := range staff[:2] {
			c := t.child(p, who.Account, "/usr/lib/dovecot/imap", "dovecot/imap")
			t.socket(c, "tcp", serverIP+":143", fmt.Sprintf("%s:%d", who.Address, t.port()), "established")
		}
	case svc == lab.Samba:
		c := t.child(p, "root", p.Exe, p.Args...)
		t.socket(c, "tcp", serverIP+":445", fmt.Sprintf("%s:%d", staff[0].Address, t.port()), "established")
	}
}

// webServer adds the children of the web server, and visitors of the site. A library that they run was updated since.
func (t *table) webServer(p *state.Process) {
	people, listen := t.s.play.Visitors, t.sockets[len(t.sockets)-1]
	for i := range 6 {
		c := t.child(p, "www-data", p.Exe, p.Args...)
		c.Mapped = append(c.Mapped, state.Mapped{Path: "/usr/lib/x86_64-linux-gnu/libssl.so.3", Deleted: true, Dev: "fe:01", Inode: 7}, state.Mapped{Path: "/usr/lib/apache2/modules/mod_proxy_fcgi.so", Dev: "fe:01", Inode: 8})
		t.holds(c, listen)
		if i < len(people) {
			t.socket(c, "tcp", serverIP+":80", fmt.Sprintf("%s:%d", people[i].Address, t.port()), "established")
		}
	}
}

// loopback is a connection of a process with a service of the server's own.
func (t *table) loopback(p *state.Process, port int) {
	mine := t.port()
	t.socket(p, "tcp", fmt.Sprintf("127.0.0.1:%d", mine), fmt.Sprintf("127.0.0.1:%d", port), "established")
}

// database lets the database's program be one that was updated while it ran, as on servers that are kept up to date and not restarted.
func (t *table) database() {
	for _, p := range t.procs {
		if strings.HasSuffix(p.Exe, "mariadbd") {
			p.Deleted = t.r.IntN(2) == 0
			p.Replaced = p.Deleted
		}
	}
}

// login adds a session of sshd's with its shells; the innermost is given.
func (t *table) login(v *visit) *state.Process {
	var listener *state.Process
	for _, p := range t.procs {
		if p.Exe == "/usr/sbin/sshd" && p.Unit == "ssh.service" {
			listener = p
		}
	}
	at := v.since
	top := t.run(listener, v.pid, "root", "/usr/sbin/sshd", at, "sshd: "+v.user.name+" [priv]")
	top.Cgroup, top.Unit = fmt.Sprintf("/user.slice/user-%d.slice/session-%d.scope", v.user.uid, v.num), fmt.Sprintf("session-%d.scope", v.num)
	top.LoginUID, top.Session = int64(v.user.uid), int64(v.num)
	net := t.socket(top, "tcp", serverIP+":22", netip.AddrPortFrom(v.from, uint16(v.port)).String(), "established")
	own := t.run(top, v.pid+6, v.user.name, "/usr/sbin/sshd", at.Add(time.Second), "sshd: "+v.user.name+"@"+v.tty)
	own.PGID, own.SID = top.PGID, top.SID
	t.holds(own, net)
	sh := t.run(own, own.PID+1, v.user.name, "/usr/bin/bash", at.Add(time.Second), "-bash")
	sh.Name, sh.TTY, sh.Dir = "bash", v.tty, v.user.home
	t.environment(sh, append(v.environment(), "SSH_TTY=/dev/"+v.tty)...)
	for range v.shells[1:] {
		su := t.run(sh, sh.PID+3, "root", "/usr/bin/sudo", at.Add(9*time.Second), "sudo", "-i")
		t.environment(su, v.environment()...)
		sh = t.run(su, su.PID+1, "root", "/usr/bin/bash", at.Add(9*time.Second), "-bash")
		sh.Name, sh.Dir = "bash", "/root"
		t.environment(sh, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "TERM=xterm-256color", "MAIL=/var/mail/root", "SUDO_COMMAND=/bin/bash", "SUDO_USER="+v.user.name, fmt.Sprintf("SUDO_UID=%d", v.user.uid), fmt.Sprintf("SUDO_GID=%d", v.user.gid))
	}
	return sh
}

// environment is what sshd gives a login's shell.
func (v *visit) environment() []string {
	u := v.user
	return []string{"USER=" + u.name, "LOGNAME=" + u.name, "HOME=" + u.home, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/games", "SHELL=" + u.shell, "TERM=xterm-256color", fmt.Sprintf("XDG_SESSION_ID=%d", v.num), "XDG_SESSION_TYPE=tty", "LANG=C.UTF-8",
		fmt.Sprintf("SSH_CLIENT=%s %d 22", v.from, v.port), fmt.Sprintf("SSH_CONNECTION=%s %d %s 22", v.from, v.port, serverIP), "MAIL=/var/mail/" + u.name}
}
