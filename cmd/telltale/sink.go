package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"
	"github.com/spf13/pflag"
	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"telltale/acquire/pack"
	"telltale/acquire/sink"
	"telltale/internal/state"
	"telltale/report/terminal"
)

// sinkFlags say where a collection goes, who can read it and who answers for it.
type sinkFlags struct {
	to, sign   string
	recipients []string
	o          sink.Options
}

func (f *sinkFlags) bind(s *pflag.FlagSet) {
	s.StringVar(&f.to, "to", "", "where the collection goes: a file on another disk, ssh://user@host/path/file, https://..., or - for standard output; the answer then goes to standard error")
	s.BoolVar(&f.o.Here, "here", false, "a file may lie on this machine's own disks, and overwrite what was deleted there")
	s.StringArrayVar(&f.recipients, "recipient", nil, "who can read the collection: an age recipient (age1...), or a file of them; may be repeated")
	s.StringVar(&f.sign, "sign", "", "private key that signs it: Ed25519, of OpenSSH or PKCS#8; one made for this incident alone")
	f.bindRemote(s)
}

// bindRemote says how other machines are known and logged in to.
func (f *sinkFlags) bindRemote(s *pflag.FlagSet) {
	s.StringVar(&f.o.KnownHosts, "known-hosts", "", "ssh: file with the host key of the other side, as ~/.ssh/known_hosts")
	s.StringVar(&f.o.HostKey, "host-key", "", "ssh: the host key's fingerprint, SHA256:...")
	s.StringVar(&f.o.Identity, "identity", "", "ssh: private key to log in with; without one a password is asked for")
	s.BoolVar(&f.o.Agent, "agent", false, "ssh: log in by the agent of SSH_AUTH_SOCK; an intruder on this machine can use it meanwhile")
	s.BoolVar(&f.o.Post, "post", false, "https: POST, not PUT")
	s.StringArrayVar(&f.o.Headers, "header", nil, "https: \"Name: value\", or @FILE with one a line; may be repeated")
	s.StringVar(&f.o.CA, "ca", "", "https: file of the certificates by which the server is known, and no others")
	s.BoolVar(&f.o.InsecureHTTP, "insecure-http", false, "allow http without TLS")
}

// open opens the destination; nil for none.
func (f *sinkFlags) open(ctx context.Context, out, errs io.Writer) (*sink.Sink, error) {
	if f.to == "" {
		if len(f.recipients) > 0 || f.sign != "" {
			return nil, fmt.Errorf("%w: --recipient and --sign are for a collection: give --to", errUsage)
		}
		return nil, nil
	}
	// A write past a limit of the shell, or to a pipe that nobody reads, must be an error of the collection, and not our end.
	signal.Ignore(syscall.SIGXFSZ, syscall.SIGPIPE)
	o := f.o
	o.Out = out
	o.Note = func(s string) { fmt.Fprintf(errs, "note: %s\n", terminal.Escape(s)) }
	if term.IsTerminal(int(os.Stdin.Fd())) {
		o.Ask = func(q string) ([]byte, error) { return askAt(errs, q) }
	}
	var err error
	if o.Headers, err = headers(o.Headers); err != nil {
		return nil, err
	}
	s, err := sink.Open(lastWords(ctx), f.to, o)
	if errors.Is(err, sink.ErrDestination) {
		err = fmt.Errorf("%w: --to: %w", errUsage, err)
	}
	return s, err
}

// lastTime is how long an interrupted collection may take for its last seal, which says why it ended.
const lastTime = 10 * time.Second

// lastWords is done a little after ctx is.
func lastWords(ctx context.Context) context.Context {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(lastTime, func() { cancel(ctx.Err()) }) })
	return later
}

// options gives what package pack has to know.
func (f *sinkFlags) options(errs io.Writer) (o pack.Options, err error) {
	if f.sign != "" {
		if o.Signer, err = signingKey(f.sign, errs); err != nil {
			return o, fmt.Errorf("--sign: %w", err)
		}
	}
	for _, r := range f.recipients {
		x, err := recipients(r)
		if err != nil {
			return o, fmt.Errorf("%w: --recipient: %w", errUsage, err)
		}
		o.Recipients = append(o.Recipients, x...)
	}
	return o, nil
}

// recipients reads one, or a file of them.
func recipients(s string) ([]age.Recipient, error) {
	if strings.HasPrefix(s, "age1") {
		return age.ParseRecipients(strings.NewReader(s))
	}
	b, err := smallFile(s)
	if err != nil {
		return nil, err
	}
	return age.ParseRecipients(bytes.NewReader(b))
}

// headers puts the lines of files in the place of @FILE: what is on the command line can be read by every user of the machine.
func headers(all []string) (out []string, err error) {
	for _, h := range all {
		name, isFile := strings.CutPrefix(h, "@")
		if !isFile {
			out = append(out, h)
			continue
		}
		b, err := smallFile(name)
		if err != nil {
			return nil, fmt.Errorf("--header: %w", err)
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out, nil
}

// signingKey reads a private key, and asks for its passphrase.
func signingKey(name string, errs io.Writer) (ed25519.PrivateKey, error) {
	b, err := smallFile(name)
	if err != nil {
		return nil, err
	}
	k, err := ssh.ParseRawPrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) && term.IsTerminal(int(os.Stdin.Fd())) {
		pass, e := askAt(errs, fmt.Sprintf("passphrase of %q", name))
		if e != nil {
			return nil, e
		}
		k, err = ssh.ParseRawPrivateKeyWithPassphrase(b, pass)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	switch k := k.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *ed25519.PrivateKey:
		return *k, nil
	}
	return nil, fmt.Errorf("%q is no Ed25519 key", name)
}

func askAt(errs io.Writer, question string) ([]byte, error) {
	fmt.Fprintf(errs, "%s: ", terminal.Escape(question))
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(errs)
	return b, err
}

// withoutSecrets gives the command line as the collection and the report keep it: a header and the query of a URL may open a door.
func withoutSecrets(args []string) []string {
	out := make([]string, len(args))
	hide := func(s string) string {
		if name, _, found := strings.Cut(s, ":"); found {
			return name + ": (not kept)"
		}
		return s
	}
	for i, a := range args {
		switch {
		case i > 0 && args[i-1] == "--header":
			a = hide(a)
		case strings.HasPrefix(a, "--header="):
			a = "--header=" + hide(strings.TrimPrefix(a, "--header="))
		case strings.Contains(a, "://"):
			if before, _, found := strings.Cut(a, "?"); found {
				a = before + "?(not kept)"
			}
		}
		out[i] = a
	}
	return out
}

// errCut says that a collection is not whole.
var errCut = errors.New("the collection was cut")

// closeCollection ends the collection, with the reason if it ends before its time. What it gives is the destination's failure.
func closeCollection(w *pack.Writer, to *sink.Sink, failed error) error {
	why := ""
	if failed != nil {
		why = state.Text([]byte(failed.Error()), 1000)
	}
	err := w.Close(why)
	if to != nil {
		if e := to.Close(); err == nil {
			err = e
		}
	}
	return err
}

// cutError says what is left of a collection that was cut.
func cutError(w *pack.Writer, err error) error {
	last, lost := w.Lost()
	behind := "no seal went out, so that nothing of it can be relied on"
	switch {
	case lost == nil:
		behind = "all of it was written, and whether it arrived is not known"
	case last != "":
		behind = fmt.Sprintf("the last seal that went out is of %q", last)
	}
	return fmt.Errorf("%w: %w; %s", errCut, err, behind)
}

// sinkHint is what the user may do about a destination that failed.
func sinkHint(err error) string {
	var key *sink.HostKeyError
	switch {
	case errors.As(err, &key) && key.Change:
		return "compare it with what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub shows on that machine itself; if it differs, do not go on"
	case errors.As(err, &key):
		return "compare it with what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub shows on that machine itself, then give it with --host-key"
	case errors.Is(err, sink.ErrOwnDisk):
		return "give a stick, a share or another machine (ssh://), or --here if there is nothing else"
	case errors.Is(err, errCut):
		return "what was not taken over is lost: call it again with another --to; an answer above is whole all the same"
	}
	return ""
}
