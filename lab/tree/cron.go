package tree

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// job is a line of a crontab.
type job struct {
	fields  [5]string
	user    string
	command string
}

// minute runs what is due, and the rotation of logs.
func (s *server) minute() error {
	if s.jobs == nil || s.jobsOld {
		s.jobs, s.jobsOld = s.crontabs(), false
	}
	t := s.clock.In(s.zone)
	for _, j := range s.jobs {
		if j.due(t) {
			s.runJob(j)
		}
	}
	if t.Hour() == 0 && t.Minute() == 0 {
		return s.rotate(t.Weekday() == time.Sunday)
	}
	return nil
}

func (s *server) runJob(j job) {
	u := s.user(j.user)
	if u == nil {
		return
	}
	s.tick(20 * time.Millisecond)
	pid := s.pid()
	s.say(auth, fmt.Sprintf("CRON[%d]", pid), "pam_unix(cron:session): session opened for user %s(uid=%d) by %s(uid=0)", j.user, u.uid, j.user)
	s.say(cronFacility, fmt.Sprintf("CRON[%d]", s.pid()), "(%s) CMD (%s)", j.user, j.command)
	s.tick(200 * time.Millisecond)
	sh := &shell{s: s, user: u, dir: u.home, quiet: true}
	sh.try(j.command)
	s.say(auth, fmt.Sprintf("CRON[%d]", pid), "pam_unix(cron:session): session closed for user %s", j.user)
}

func (j *job) due(t time.Time) bool {
	for i, v := range [5]int{t.Minute(), t.Hour(), t.Day(), int(t.Month()), int(t.Weekday())} {
		if !matches(j.fields[i], v) {
			return false
		}
	}
	return true
}

func matches(field string, v int) bool {
	for _, part := range strings.Split(field, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step, err := strconv.Atoi(stepText)
		if !stepped || err != nil || step < 1 {
			step = 1
		}
		if span == "*" {
			if v%step == 0 {
				return true
			}
			continue
		}
		lowText, highText, ranged := strings.Cut(span, "-")
		low, err := strconv.Atoi(lowText)
		high := low
		if ranged {
			high, _ = strconv.Atoi(highText) // 0 matches nothing
		}
		if err == nil && v >= low && v <= high && (v-low)%step == 0 {
			return true
		}
	}
	return false
}

// crontabs reads /etc/crontab, /etc/cron.d and the accounts' own.
func (s *server) crontabs() (jobs []job) {
	read := func(p, as string) {
		n := s.find(p)
		if n == nil || n.dir() {
			return
		}
		for _, line := range strings.Split(string(n.data), "\n") {
			f := strings.Fields(line)
			if len(f) < 6 || strings.HasPrefix(f[0], "#") || strings.Contains(f[0], "=") || f[0][0] == '@' {
				continue
			}
			j := job{user: as}
			copy(j.fields[:], f[:5])
			rest := f[5:]
			if as == "" {
				j.user, rest = f[5], f[6:]
			}
			if len(rest) == 0 {
				continue
			}
			j.command = line[strings.Index(line, rest[0]):]
			if as == "" { // the user's name may stand in the command, too
				_, after, _ := strings.Cut(line, f[5])
				j.command = strings.TrimSpace(after)
			}
			jobs = append(jobs, j)
		}
	}
	read("/etc/crontab", "")
	if d := s.find("/etc/cron.d"); d.dir() {
		_ = each("/etc/cron.d", d, func(p string, n *inode) error { // read gives no error
			if !n.dir() && !strings.Contains(path.Base(p), ".") {
				read(p, "")
			}
			return nil
		})
	}
	for name := range s.users {
		read("/var/spool/cron/crontabs/"+name, name)
	}
	sortJobs(jobs)
	return jobs
}

func sortJobs(jobs []job) {
	for i := 1; i < len(jobs); i++ {
		for j := i; j > 0 && jobs[j].user+jobs[j].command < jobs[j-1].user+jobs[j-1].command; j-- {
			jobs[j], jobs[j-1] = jobs[j-1], jobs[j]
		}
	}
}

// rotate does what logrotate does at midnight: the web server's logs each day, the system's each week.
func (s *server) rotate(week bool) error {
	daily := []string{"/var/log/apache2/access.log", "/var/log/apache2/error.log"}
	weekly := []string{"/var/log/auth.log", "/var/log/syslog", "/var/log/cron.log", "/var/log/mail.log", "/var/log/kern.log", "/var/log/vsftpd.log"}
	for i, p := range append(daily, weekly...) {
		if i >= len(daily) && !week {
			continue
		}
		n := s.find(p)
		if n == nil || len(n.data) == 0 {
			continue
		}
		for k := 12; k >= 2; k-- {
			from := fmt.Sprintf("%s.%d.gz", p, k)
			if old := s.find(from); old != nil {
				if err := s.put(fmt.Sprintf("%s.%d.gz", p, k+1), old); err != nil {
					return err
				}
				if err := s.remove(from); err != nil {
					return err
				}
			}
		}
		if old := s.find(p + ".1"); old != nil { // delaycompress
			z, err := s.zipped(old)
			if err != nil {
				return err
			}
			if err := s.put(p+".2.gz", z); err != nil {
				return err
			}
		}
		if err := s.put(p+".1", n); err != nil {
			return err
		}
		n.ctime = s.clock
		fresh := s.fresh(n.mode, n.uid, n.gid)
		if err := s.put(p, fresh); err != nil {
			return err
		}
		s.logs[p] = fresh
	}
	return nil
}

func (s *server) zipped(old *inode) (*inode, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.ModTime = old.mtime
	if _, err := w.Write(old.data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	z := s.fresh(old.mode, old.uid, old.gid)
	z.data, z.mtime = b.Bytes(), old.mtime // gzip keeps the time
	return z, nil
}
