package container

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"telltale/lab"
	"telltale/lab/site"
)

//go:embed proftpd.pl
var proftpdStandIn string

// setting is one file of the server's configuration.
type setting struct {
	path, text string
	mode       os.FileMode
}

// configure sets the server up within its tree, as its administrator would have.
func (m *Maker) configure(ctx context.Context) error {
	s := &m.setup
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return err
	}
	files := []setting{
		{"etc/hostname", s.Hostname + "\n", 0o644}, {"etc/timezone", s.Zone + "\n", 0o644}, {"etc/machine-id", hex.EncodeToString(id[:]) + "\n", 0o444}, {"etc/mailname", s.Hostname + "." + m.play.Domain + "\n", 0o644},
		{"etc/hosts", "127.0.0.1\tlocalhost\n" + serverIP + "\t" + s.Hostname + "." + m.play.Domain + " " + s.Hostname + "\n" + gatewayIP + "\tsmarthost.example.net\n", 0o644},
		{"etc/systemd/journald.conf.d/size.conf", "[Journal]\nSystemMaxUse=32M\nSystemMaxFileSize=8M\n", 0o644}, {"etc/ssh/sshd_config.d/local.conf", "PermitRootLogin yes\nUseDNS no\n", 0o644}, {"etc/default/locale", "LANG=C.UTF-8\n", 0o644},
		{"etc/systemd/system.conf.d/stop.conf", "[Manager]\nDefaultTimeoutStopSec=15s\n", 0o644},
	}
	files = append(files, services(s)...)
	if s.RemoteLogs {
		files = append(files, setting{"etc/rsyslog.d/remote.conf", "*.* @" + gatewayIP + ":5514\n", 0o644})
	}
	for _, f := range files {
		if err := m.put(f.path, []byte(f.text), f.mode, 0, 0); err != nil {
			return err
		}
	}
	for _, d := range []string{"var/log/journal", "srv/packages", "usr/lib/cgi-bin"} {
		if err := os.MkdirAll(m.tree(d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Remove(m.tree("etc/localtime")); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Symlink("/usr/share/zoneinfo/"+s.Zone, m.tree("etc/localtime")); err != nil {
		return err
	}
	if s.Traditional {
		if err := m.prepend("etc/rsyslog.conf", "$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat\n"); err != nil {
			return err
		}
	}
	if err := m.inside(ctx, strings.Join(m.commands(), " && ")); err != nil {
		return err
	}
	for _, l := range []string{"dpkg", "alternatives", "bootstrap"} { // emptied when the base was made
		if err := os.Remove(m.tree("var/log/" + l + ".log")); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := m.contents(ctx); err != nil {
		return err
	}
	return m.emptyDev()
}

// emptyDev removes what commands wrote to devices that are not in the tree.
func (m *Maker) emptyDev() error {
	list, err := os.ReadDir(m.tree("dev"))
	for _, e := range list {
		err = errors.Join(err, os.RemoveAll(m.tree("dev/"+e.Name())))
	}
	return err
}

func (m *Maker) tree(p string) string { return filepath.Join(m.dir, "tree", p) }

// inside runs a line of shell in the server's tree.
func (m *Maker) inside(ctx context.Context, line string) error {
	c := exec.CommandContext(ctx, "chroot", m.tree(""), "/bin/sh", "-c", line)
	c.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "SYSTEMD_OFFLINE=1"}
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%.300s: %w: %s", line, err, tail(out))
	}
	return nil
}

func (m *Maker) put(p string, data []byte, mode os.FileMode, uid, gid int) error {
	p = m.tree(p)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(p, data, mode); err != nil {
		return err
	}
	if err := os.Chmod(p, mode); err != nil {
		return err
	}
	return os.Chown(p, uid, gid)
}

func (m *Maker) prepend(p, text string) error {
	b, err := os.ReadFile(m.tree(p))
	if err != nil {
		return err
	}
	return os.WriteFile(m.tree(p), append([]byte(text), b...), 0o644)
}

// services gives the configuration of what the server runs.
func services(s *lab.Setup) (out []setting) {
	if s.Has(lab.FTP) {
		out = append(out, setting{"etc/vsftpd.conf", "listen=NO\nlisten_ipv6=YES\nanonymous_enable=NO\nlocal_enable=YES\nwrite_enable=YES\nlocal_umask=022\ndirmessage_enable=YES\nuse_localtime=YES\nxferlog_enable=YES\nconnect_from_port_20=YES\n" +
			"secure_chroot_dir=/var/run/vsftpd/empty\npam_service_name=vsftpd\nseccomp_sandbox=NO\n", 0o644})
	}
	if s.Has(lab.Mail) {
		out = append(out, setting{"etc/dovecot/conf.d/99-local.conf", "disable_plaintext_auth = no\nssl = no\nprotocols = imap\nservice auth {\n  unix_listener /var/spool/postfix/private/auth {\n    mode = 0660\n    user = postfix\n    group = postfix\n  }\n}\n", 0o644})
	}
	if s.Has(lab.Redis) { // by root, for everybody: the weak spot
		out = append(out, setting{"etc/redis/redis.conf", "bind 0.0.0.0\nprotected-mode no\nport 6379\nenable-protected-configs yes\nlogfile /var/log/redis/redis-server.log\ndir /var/lib/redis\ndbfilename dump.rdb\n", 0o644},
			setting{"etc/systemd/system/redis-server.service", "[Unit]\nDescription=Redis, by hand\nAfter=network.target\n[Service]\nExecStart=/usr/bin/redis-server /etc/redis/redis.conf\nRestart=always\n[Install]\nWantedBy=multi-user.target\n", 0o644})
	}
	if s.Has(lab.Samba) {
		out = append(out, setting{"etc/samba/smb.conf", "[global]\n  workgroup = WORKGROUP\n  server role = standalone server\n  map to guest = bad user\n  log file = /var/log/samba/log.%m\n  log level = 2\n  disable netbios = yes\n  smb ports = 445\n" +
			"[www]\n  path = /var/www/html\n  guest ok = yes\n  guest only = yes\n  writable = yes\n  vfs objects = full_audit\n  full_audit:prefix = %u|%I|%m|%S\n  full_audit:success = openat pwrite renameat unlinkat mkdirat\n  full_audit:failure = none\n", 0o644})
	}
	if s.Has(lab.ProFTPD) {
		out = append(out, setting{"etc/systemd/system/proftpd.service", "[Unit]\nDescription=ProFTPD FTP Server\nAfter=network.target\n[Service]\nExecStart=/usr/sbin/proftpd\nRestart=always\n[Install]\nWantedBy=multi-user.target\n", 0o644},
			setting{"etc/proftpd/proftpd.conf", "ServerName \"" + s.Hostname + "\"\nUser nobody\nSystemLog /var/log/proftpd/proftpd.log\nExtendedLog /var/log/proftpd/extended.log ALL\nLoadModule mod_copy.c\n", 0o644})
	}
	return out
}

// commands gives what is typed in the tree to set it up.
func (m *Maker) commands() []string {
	s := &m.setup
	out := []string{"ssh-keygen -A >/dev/null", "sed -i 's/ root@[^ ]*$/ root@" + s.Hostname + "/' /etc/ssh/ssh_host_*.pub",
		"postconf -e 'relayhost=[" + gatewayIP + "]:2525' inet_interfaces=" + map[bool]string{true: "all", false: "loopback-only"}[s.Has(lab.Mail)] + " myhostname=" + s.Hostname + "." + m.play.Domain +
			" mydestination=localhost," + s.Hostname + " smtp_host_lookup=native disable_dns_lookups=yes inet_protocols=ipv4",
		"rm -f /var/www/html/index.html"}
	if s.Has(lab.Mail) {
		out = append(out, "postconf -M 'submission/inet=submission inet n - n - - smtpd'", "postconf -P 'submission/inet/syslog_name=postfix/submission' 'submission/inet/smtpd_sasl_auth_enable=yes'",
			"postconf -e smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth 'smtpd_relay_restrictions=permit_sasl_authenticated,reject_unauth_destination'")
	}
	wanted := map[string]bool{"apache2": s.Has(lab.Web), "vsftpd": s.Has(lab.FTP), "dovecot": s.Has(lab.Mail), "redis-server": s.Has(lab.Redis), "smbd": s.Has(lab.Samba), "nmbd": false, "samba-ad-dc": false, "winbind": false, "proftpd": s.Has(lab.ProFTPD),
		"apt-daily.timer": false, "apt-daily-upgrade.timer": false, "fstrim.timer": false, "e2scrub_all.timer": false, "console-getty": false}
	names := make([]string, 0, len(wanted))
	for n := range wanted {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if wanted[n] {
			out = append(out, "systemctl -q enable "+n)
		} else {
			out = append(out, "systemctl -q mask "+n)
		}
	}
	if s.Has(lab.Web) {
		out = append(out, "a2enmod -q cgi >/dev/null", "a2enconf -q serve-cgi-bin >/dev/null")
	}
	if s.Has(lab.Samba) || s.Has(lab.ProFTPD) { // everybody may write into the site: the weak spot
		out = append(out, "chmod 777 /var/www/html")
	}
	if s.Has(lab.ProFTPD) {
		out = append(out, "install -d -o root -g adm -m 755 /var/log/proftpd")
	}
	day := time.Now().AddDate(0, 0, -30).Format(time.DateOnly)
	for _, a := range s.Accounts {
		out = append(out, "useradd -m -s /bin/bash "+a.Name)
		if a.Password != "" {
			out = append(out, "echo '"+a.Name+":"+a.Password+"' | chpasswd")
		}
		out = append(out, "chage -d "+day+" "+a.Name)
		if a.Sudo {
			out = append(out, "usermod -aG sudo "+a.Name, "echo '"+a.Name+" ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/"+a.Name, "chmod 440 /etc/sudoers.d/"+a.Name)
		}
	}
	return out
}

// contents puts the accounts' keys, the site, the scenario's files and packages into the tree.
func (m *Maker) contents(ctx context.Context) error {
	s := &m.setup
	for _, a := range s.Accounts {
		var keys []string
		for _, k := range a.Keys {
			keys = append(keys, k.Public())
		}
		if len(keys) == 0 {
			continue
		}
		files := []lab.File{{Path: "/home/" + a.Name + "/.ssh/", Owner: a.Name, Mode: 0o700}, {Path: "/home/" + a.Name + "/.ssh/authorized_keys", Owner: a.Name, Mode: 0o600, Data: []byte(strings.Join(keys, "\n") + "\n")}}
		if err := m.files(files); err != nil {
			return err
		}
	}
	if s.Has(lab.Web) {
		if err := m.files(site.Files(s)); err != nil {
			return err
		}
	}
	if s.Has(lab.ProFTPD) {
		p := lab.Package{Name: "proftpd-core", Version: "1.3.5a-1", Files: []lab.File{{Path: "/usr/sbin/proftpd", Owner: "root", Mode: 0o755, Data: []byte(proftpdStandIn)}}}
		if err := m.pack(ctx, &p, "tmp"); err != nil {
			return err
		}
		if err := m.inside(ctx, "dpkg -i /tmp/"+p.FileName()+" >/dev/null && rm /tmp/"+p.FileName()+" /var/log/dpkg.log"); err != nil {
			return err
		}
	}
	for i := range s.Packages {
		if err := m.pack(ctx, &s.Packages[i], "srv/packages"); err != nil {
			return err
		}
	}
	return m.files(s.Files)
}

// files puts files and folders into the tree, with their owners.
func (m *Maker) files(list []lab.File) error {
	for _, f := range list {
		uid, gid, err := m.owner(f.Owner)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(f.Path, "/") {
			if err := m.put(f.Path, f.Data, os.FileMode(f.Mode), uid, gid); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(m.tree(f.Path), 0o755); err != nil {
			return err
		}
		if err := os.Chmod(m.tree(f.Path), os.FileMode(f.Mode)); err != nil {
			return err
		}
		if err := os.Chown(m.tree(f.Path), uid, gid); err != nil {
			return err
		}
	}
	return nil
}

func (m *Maker) owner(name string) (uid, gid int, err error) {
	b, err := os.ReadFile(m.tree("etc/passwd"))
	if err != nil {
		return 0, 0, err
	}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Split(line, ":"); f[0] == name && len(f) > 3 {
			if uid, err = strconv.Atoi(f[2]); err != nil {
				return 0, 0, err
			}
			gid, err = strconv.Atoi(f[3])
			return uid, gid, err
		}
	}
	return 0, 0, fmt.Errorf("no account %q", name)
}

// pack builds a Debian package into a folder of the tree.
func (m *Maker) pack(ctx context.Context, p *lab.Package, dir string) error {
	root := filepath.Join(m.dir, "deb-"+p.Name)
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: %s\n", p.Name, p.Version, p.Name)
	list := map[string]setting{"DEBIAN/control": {text: control, mode: 0o644}}
	if len(p.Postinst) > 0 {
		list["DEBIAN/postinst"] = setting{text: "#!/bin/sh\nset -e\n" + strings.Join(p.Postinst, "\n") + "\n", mode: 0o755}
	}
	for _, f := range p.Files {
		list[f.Path] = setting{text: string(f.Data), mode: os.FileMode(f.Mode)}
	}
	for name, f := range list {
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(m.tree(dir), 0o755); err != nil {
		return err
	}
	return run(ctx, "dpkg-deb", "--root-owner-group", "--build", root, m.tree(filepath.Join(dir, p.FileName())))
}

// ports are those that the server has to listen on before it is ready.
func (m *Maker) ports() (out []int) {
	out = []int{22}
	for svc, port := range map[lab.Service]int{lab.Web: 80, lab.FTP: 21, lab.Mail: 587, lab.Redis: 6379, lab.Samba: 445, lab.ProFTPD: 21} {
		if m.setup.Has(svc) {
			out = append(out, port)
		}
	}
	return out
}
