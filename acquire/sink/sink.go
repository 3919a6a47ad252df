// Package sink is where a collection goes: a file, standard output, an account on another machine (SFTP over SSH), or a server (one HTTPS request). It
// runs on the hacked machine, so it starts no program, trusts no host key that was not named, uses no agent and no proxy unless told, and never writes to
// the machine's own disks by accident. It knows nothing of what it carries.
//
// Every destination is bounded in time: one that takes nothing any more is an error that says how much was taken over, in bytes.
package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Options of Open.
type Options struct {
	Out  io.Writer                               // what "-" means
	Note func(string)                            // is told what the user should know; may be nil
	Ask  func(question string) ([]byte, error)   // asks for a passphrase or password; nil: nobody can be asked
	Here bool                                    // a file may lie on the machine's own disks
	seen func(string) (machine, mount, error)    // of tests
	wait func() (idle, keep, last time.Duration) // of tests

	// Of ssh. One of the first two must be given.
	KnownHosts string // file in the form of known_hosts(5)
	HostKey    string // "SHA256:...", as ssh-keygen -l shows it
	Identity   string // file of a private key
	Agent      bool   // use the agent of SSH_AUTH_SOCK: whoever is root on this machine can then use it, too, as long as it is there

	// Of https.
	Post         bool     // POST, not PUT
	Headers      []string // "Name: value"
	CA           string   // file of certificates, PEM: only these are trusted; "": those of the machine
	InsecureHTTP bool     // http without TLS is allowed
}

// ErrDestination marks a destination that is named wrongly.
var ErrDestination = errors.New("no destination")

// Sink is an open destination.
type Sink struct {
	to    destination
	where string
	err   error
}

type destination interface {
	io.WriteCloser
	// Taken is how many bytes were taken over, as far as it can be known.
	Taken() int64
}

// Open opens a destination: the path of a file, "-", ssh://[user@]host[:port]/path, or https://...
func Open(ctx context.Context, to string, o Options) (*Sink, error) {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	d, where, err := open(ctx, to, o)
	if err != nil {
		return nil, err
	}
	return &Sink{to: d, where: where}, nil
}

func open(ctx context.Context, to string, o Options) (destination, string, error) {
	if to == "-" {
		return newStall(ctx, keepOpen{o.Out}), "standard output", nil
	}
	if !strings.Contains(to, "://") {
		d, err := openFile(ctx, to, o)
		return d, fmt.Sprintf("%q", to), err
	}
	u, err := url.Parse(to)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %q is no URL", ErrDestination, to)
	}
	if _, has := u.User.Password(); has || u.User != nil && u.Scheme != "ssh" {
		return nil, "", fmt.Errorf("%w: a name or password within the URL can be read by every user of this machine", ErrDestination)
	}
	where := fmt.Sprintf("%q", u.Scheme+"://"+u.Host+u.EscapedPath()) // without a query: it may be a secret
	var d destination
	switch u.Scheme {
	case "ssh", "sftp":
		d, err = openSSH(ctx, u, o)
	case "https", "http":
		d, err = openHTTP(ctx, u, o)
	default:
		err = fmt.Errorf("%w: %q is none of ssh, https", ErrDestination, u.Scheme)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", where, err)
	}
	return d, where, err
}

// Write writes to the destination. The first error is the last: nothing can follow what was lost.
func (s *Sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.to.Write(p)
	s.err = s.say(err)
	return n, s.err
}

// Close ends it, and tells whether all that was written has been taken over.
func (s *Sink) Close() error {
	err := s.to.Close()
	if s.err != nil {
		return s.err
	}
	return s.say(err)
}

func (s *Sink) say(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s took %d bytes and no more: %w", s.where, s.Taken(), err)
}

// Taken is how many bytes were taken over: as the other side has confirmed for ssh, as were handed to the kernel for the others.
func (s *Sink) Taken() int64 { return s.to.Taken() }

// String names the destination without what may be secret in it.
func (s *Sink) String() string { return s.where }

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
