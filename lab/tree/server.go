package tree

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"telltale/lab"
)

// server is a machine that is only written: its clock, disk, logs and the models of its daemons.
type server struct {
	*files
	setup   lab.Setup
	play    *lab.Play
	rand    *rand.Rand
	clock   time.Time
	zone    *time.Location
	logs    map[string]*inode // what rsyslog and the daemons have open, by path
	remote  *strings.Builder  // the other machine's copy of the system log
	users   map[string]*user
	pids    int
	session int
	serial  int
	daemons map[string]int // their process ids
	offers  map[string][]byte
	jobs    []job
	jobsOld bool // the crontabs have to be read again
	queue   int
	booted  time.Time
	begun   []*begun // what goes on running
	open    []*visit // whose client is connected still
	watched bool     // its state is the evidence
}

// user is an account as the system knows it.
type user struct {
	name, password, home, shell string
	uid, gid                    int
	sudo                        bool
	groups                      []string
}

// Now gives the server's clock.
func (s *server) Now() time.Time { return s.clock }

// Written tells that days may pass.
func (s *server) Written() bool { return true }

// Wait jumps, with cron and the rotation of logs on the way.
func (s *server) Wait(ctx context.Context, d time.Duration) error {
	end := s.clock.Add(d)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := s.clock.Truncate(time.Minute).Add(time.Minute)
		if next.After(end) {
			s.clock = end
			return nil
		}
		s.clock = next.Add(time.Duration(s.rand.IntN(900)) * time.Millisecond)
		if err := s.minute(); err != nil {
			return err
		}
		if s.clock.After(end) {
			end = s.clock
		}
	}
}

// Cron waits for the next minute's jobs.
func (s *server) Cron(ctx context.Context) error {
	return s.Wait(ctx, s.clock.Truncate(time.Minute).Add(62*time.Second).Sub(s.clock))
}

// tick is the time that a step of a daemon takes.
func (s *server) tick(most time.Duration) {
	s.clock = s.clock.Add(time.Duration(s.rand.Int64N(int64(most))) + time.Microsecond)
}

// pid gives the next process id.
func (s *server) pid() int {
	if s.pids += 1 + s.rand.IntN(4); s.pids > 4_000_000 {
		s.pids = 400
	}
	return s.pids
}

func (s *server) user(name string) *user { return s.users[name] }

func (s *server) ids(name string) (uid, gid int) {
	if u := s.users[name]; u != nil {
		return u.uid, u.gid
	}
	return 0, 0
}

// facility says which of rsyslog's files a line goes to (Debian's rsyslog.conf).
type facility int

const (
	auth facility = iota
	cronFacility
	mail
	daemon
	kern
)

func (f facility) files() []string {
	switch f {
	case auth:
		return []string{"/var/log/auth.log"}
	case cronFacility:
		return []string{"/var/log/syslog", "/var/log/cron.log"}
	case mail:
		return []string{"/var/log/syslog", "/var/log/mail.log"}
	case kern:
		return []string{"/var/log/syslog", "/var/log/kern.log"}
	}
	return []string{"/var/log/syslog"}
}

// say hands a line to the system log; tag is "sshd[812]".
func (s *server) say(f facility, tag, format string, a ...any) {
	t := s.clock.In(s.zone)
	stamp := t.Format("2006-01-02T15:04:05.000000-07:00")
	if s.setup.Traditional {
		stamp = t.Format("Jan _2 15:04:05")
	}
	line := fmt.Sprintf("%s %s %s: %s\n", stamp, s.setup.Hostname, tag, fmt.Sprintf(format, a...))
	for _, p := range f.files() {
		s.log(p, 0o640, line)
	}
	if s.remote != nil {
		s.remote.WriteString(line)
	}
}

// log appends to a file that a daemon holds open: one that was replaced behind its back gets no more.
func (s *server) log(p string, mode uint32, text string) {
	n := s.logs[p]
	if n == nil {
		if n = s.find(p); n == nil {
			n = s.fresh(typeFile|mode, 0, 4) // group adm
			if s.put(p, n) != nil {
				return
			}
		}
		s.logs[p] = n
	}
	s.add(n, []byte(text))
}

// tag gives "program[pid]" of a daemon.
func (s *server) tag(name string) string { return fmt.Sprintf("%s[%d]", name, s.daemons[name]) }
