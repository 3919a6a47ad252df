package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"telltale/lab"
)

// session is an interactive login by the real ssh client, on a terminal.
type session struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *screen
	done  chan error
	depth int // shells that are open
	more  int // tries beyond the usual ones
}

// screen keeps what the terminal shows.
type screen struct {
	mu sync.Mutex
	b  []byte
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.b = append(s.b, p...); len(s.b) > 1<<20 {
		s.b = s.b[len(s.b)-1<<19:]
	}
	return len(p), nil
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.b)
}

// prompted tells whether the terminal waits for a command.
func (s *screen) prompted() bool {
	t := strings.TrimRight(s.text(), "\x1b[?2004hl")
	return strings.HasSuffix(t, "$ ") || strings.HasSuffix(t, "# ")
}

// SSH logs in. One try is made, as by somebody who types it.
func (s *server) SSH(ctx context.Context, l lab.Login) (lab.Session, error) {
	words := []string{"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR", "-F", "/dev/null", "-b", l.From.String(), "-tt"}
	var c *exec.Cmd
	if l.Key != nil {
		p := filepath.Join(s.m.dir, "key")
		if err := errors.Join(os.WriteFile(p, l.Key.Private(), 0o600), os.Chmod(p, 0o600)); err != nil {
			return nil, err
		}
		c = exec.Command("ssh", append(words, "-o", "PasswordAuthentication=no", "-o", "IdentitiesOnly=yes", "-i", p, l.Account+"@"+serverIP)...)
	} else {
		c = exec.Command("sshpass", append(append([]string{"-p", l.Password, "ssh"}, words...), "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1", l.Account+"@"+serverIP)...)
	}
	c.Env = append(os.Environ(), "TERM=dumb")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	x := &session{cmd: c, out: &screen{}, done: make(chan error, 1), depth: 1}
	var err error
	if x.in, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	c.Stdout, c.Stderr = x.out, x.out
	if err := c.Start(); err != nil {
		return nil, err
	}
	go func() { x.done <- c.Wait() }()
	for range 1200 { // a machine may be busy
		select {
		case err := <-x.done:
			if t := x.out.text(); strings.Contains(t, "Permission denied") || c.ProcessState.ExitCode() == 5 { // sshpass: wrong password
				return nil, lab.ErrRefused
			}
			return nil, fmt.Errorf("ssh ended: %v: %s", err, tail([]byte(x.out.text())))
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), c.Process.Kill())
		case <-time.After(100 * time.Millisecond):
		}
		if x.out.prompted() {
			return x, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("no prompt came: %s", tail([]byte(x.out.text()))), c.Process.Kill())
}

// usualTries is how often it is looked whether a command has ended, at tryEvery; an examination takes longer.
const (
	usualTries = 200
	lookTries  = 2000
	tryEvery   = 150 * time.Millisecond
)

// Run types a line and waits until the shell is ready for the next.
func (x *session) Run(ctx context.Context, line string) error {
	switch line {
	case "sudo -i", "sudo su -", "sudo bash", "sudo su":
		x.depth++
	case "exit":
		x.depth--
	}
	shown := len(x.out.text())
	if _, err := io.WriteString(x.in, line+"\n"); err != nil {
		return fmt.Errorf("%w: %s", err, tail([]byte(x.out.text())))
	}
	for range usualTries + x.more {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tryEvery):
		}
		if t := x.out.text(); len(t) > shown && strings.Contains(t[shown:], "\n") && x.out.prompted() { // a long line is echoed in part
			return nil
		}
	}
	return fmt.Errorf("%q did not end: %s", line, tail([]byte(x.out.text())))
}

// Close leaves all shells.
func (x *session) Close(ctx context.Context) error {
	for range 6 {
		if _, err := io.WriteString(x.in, "exit\n"); err != nil {
			break // it has ended
		}
		select {
		case <-x.done:
			return nil
		case <-ctx.Done():
			return errors.Join(ctx.Err(), x.cmd.Process.Kill())
		case <-time.After(1200 * time.Millisecond):
		}
	}
	select {
	case <-x.done:
		return nil
	case <-time.After(3 * time.Second):
	}
	return x.cmd.Process.Kill()
}
