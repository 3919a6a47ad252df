package tree

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"path"
	"time"

	"telltale/lab"
	"telltale/lab/site"
)

// FTP is a visit to vsftpd 3.0.3, or to the stand-in of ProFTPD 1.3.5.
func (s *server) FTP(_ context.Context, t lab.Transfer) error {
	if t.CopyTo != "" {
		return s.copied(t)
	}
	if !s.setup.Has(lab.FTP) {
		return fmt.Errorf("no ftp server")
	}
	s.tick(100 * time.Millisecond)
	pid := s.pid()
	client := "::ffff:" + t.From.String() // Debian listens on IPv6
	say := func(pid int, format string, a ...any) {
		s.log("/var/log/vsftpd.log", 0o600, fmt.Sprintf("%s [pid %d] %s\n", s.clock.In(s.zone).Format("Mon Jan _2 15:04:05 2006"), pid, fmt.Sprintf(format, a...)))
	}
	say(pid+1, "CONNECT: Client %q", client)
	u := s.user(t.Account)
	s.tick(time.Second)
	if u == nil || u.password == "" || u.password != t.Password {
		s.say(auth, "vsftpd", "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=%s rhost=%s %s", t.Account, client, suffix(u))
		s.tick(2 * time.Second)
		say(pid, "[%s] FAIL LOGIN: Client %q", t.Account, client)
		return lab.ErrRefused
	}
	say(pid, "[%s] OK LOGIN: Client %q", t.Account, client)
	if t.Path == "" {
		return nil
	}
	s.tick(800 * time.Millisecond)
	if _, err := s.write(t.Path, t.Data, 0o644, u.uid, u.gid); err != nil {
		return err
	}
	say(pid+2, "[%s] OK UPLOAD: Client %q, %q, %d bytes, %.2fKbyte/sec", t.Account, client, t.Path, len(t.Data), 20+80*s.rand.Float64())
	return nil
}

// copied is mod_copy's SITE CPFR and CPTO, by whoever asks (CVE-2015-3306).
func (s *server) copied(t lab.Transfer) error {
	if !s.setup.Has(lab.ProFTPD) {
		return fmt.Errorf("no proftpd")
	}
	s.tick(100 * time.Millisecond)
	pid := s.pid()
	say := func(what string) {
		s.log("/var/log/proftpd/proftpd.log", 0o640, fmt.Sprintf("%s %s proftpd[%d] %s (%s[%s]): %s\n", s.clock.In(s.zone).Format("2006-01-02 15:04:05,000"), s.setup.Hostname, pid, s.setup.Hostname, t.From, t.From, what))
	}
	command := func(words string, code int) {
		s.log("/var/log/proftpd/extended.log", 0o640, fmt.Sprintf("%s UNKNOWN nobody [%s] \"%s\" %d -\n", t.From, s.clock.In(s.zone).Format("02/Jan/2006:15:04:05 -0700"), words, code))
	}
	say("FTP session opened.")
	data := t.Data
	if t.CopyFrom == "/proc/self/cmdline" {
		data = append([]byte(fmt.Sprintf("proftpd: %s:%d: SITE CPTO ", t.From, 1024+s.rand.IntN(60000))), data...)
	} else if n := s.find(t.CopyFrom); n != nil {
		data = n.data
	} else {
		return fmt.Errorf("%s: no such file", t.CopyFrom)
	}
	s.tick(500 * time.Millisecond)
	command("SITE CPFR "+t.CopyFrom, 350)
	s.tick(500 * time.Millisecond)
	nobody := s.user("nobody")
	if _, err := s.write(t.CopyTo, data, 0o644, nobody.uid, nobody.gid); err != nil {
		return err
	}
	command("SITE CPTO "+t.CopyTo, 250)
	say("FTP session closed.")
	return nil
}

// Redis takes commands without a password: CONFIG SET, SET, SAVE.
func (s *server) Redis(_ context.Context, from netip.Addr, commands ...[]string) error {
	if !s.setup.Has(lab.Redis) {
		return fmt.Errorf("no redis")
	}
	dir, name, value, key := "/var/lib/redis", "dump.rdb", "", ""
	say := func(format string, a ...any) {
		s.log("/var/log/redis/redis-server.log", 0o660, fmt.Sprintf("%d:M %s * %s\n", s.daemons["redis-server"], s.clock.In(s.zone).Format("02 Jan 2006 15:04:05.000"), fmt.Sprintf(format, a...)))
	}
	for _, c := range commands {
		s.tick(300 * time.Millisecond)
		switch {
		case len(c) == 4 && c[0] == "CONFIG" && c[2] == "dir":
			if !s.find(c[3]).dir() {
				return fmt.Errorf("CONFIG SET dir %s: no such folder", c[3])
			}
			dir = c[3]
		case len(c) == 4 && c[0] == "CONFIG" && c[2] == "dbfilename":
			name = c[3]
		case len(c) == 3 && c[0] == "SET":
			key, value = c[1], c[2]
		case len(c) == 1 && c[0] == "SAVE":
			if _, err := s.write(path.Join(dir, name), rdb(key, value, s.clock), 0o644, 0, 0); err != nil {
				return err
			}
			s.jobsOld = true
			say("DB saved on disk")
		case len(c) == 1 && c[0] == "FLUSHALL":
			if _, err := s.write(path.Join(dir, name), rdb("", "", s.clock), 0o644, 0, 0); err != nil {
				return err
			}
			say("DB saved on disk")
		}
	}
	return nil
}

// rdb is a dump of redis 7 with one key (RDB file format, version 10).
func rdb(key, value string, at time.Time) []byte {
	b := []byte("REDIS0010")
	text := func(s string) {
		if len(s) < 64 {
			b = append(b, byte(len(s)))
		} else {
			b = append(b, 0x40|byte(len(s)>>8), byte(len(s)))
		}
		b = append(b, s...)
	}
	b = append(b, 0xFA)
	text("redis-ver")
	text("7.0.15")
	b = append(b, 0xFA)
	text("ctime")
	b = binary.LittleEndian.AppendUint32(append(b, 0xC2), uint32(at.Unix()))
	if key != "" {
		b = append(b, 0xFE, 0, 0xFB, 1, 0, 0)
		text(key)
		text(value)
	}
	b = append(b, 0xFF)
	sum := crc32.ChecksumIEEE(b)
	return append(b, 0, 0, 0, 0, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)) // in place of the CRC64: nobody reads it
}

// Share is a guest's visit to samba 4.17, which stores a file.
func (s *server) Share(_ context.Context, x lab.Share) error {
	if !s.setup.Has(lab.Samba) {
		return fmt.Errorf("no samba")
	}
	s.tick(200 * time.Millisecond)
	pid := s.pid()
	say := func(level int, source, format string, a ...any) {
		s.log("/var/log/samba/log."+x.Machine, 0o644, fmt.Sprintf("[%s,  %d] %s\n  %s\n", s.clock.In(s.zone).Format("2006/01/02 15:04:05.000000"), level, source, fmt.Sprintf(format, a...)))
	}
	say(2, "../../source3/smbd/smb2_service.c:619(make_connection_snum)", "%s (ipv4:%s:%d) connect to service www initially as user nobody (uid=65534, gid=65534) (pid %d)", x.Machine, x.From, 1024+s.rand.IntN(60000), pid)
	s.tick(500 * time.Millisecond)
	nobody := s.user("nobody")
	if _, err := s.write(path.Join(site.Root, x.Path), x.Data, 0o744, nobody.uid, nobody.gid); err != nil {
		return err
	}
	prefix := fmt.Sprintf("nobody|%s|%s|www", x.From, x.Machine)
	s.say(daemon, fmt.Sprintf("smbd_audit[%d]", pid), "%s|openat|ok|w|%s", prefix, path.Join(site.Root, x.Path))
	s.say(daemon, fmt.Sprintf("smbd_audit[%d]", pid), "%s|pwrite|ok|%s", prefix, path.Join(site.Root, x.Path))
	s.tick(2 * time.Second)
	say(2, "../../source3/smbd/smb2_service.c:1138(close_cnum)", "%s (ipv4:%s:445) closed connection to service www", x.Machine, x.From)
	return nil
}
