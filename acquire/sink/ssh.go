package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// HostKeyError says that the other side's host key is not one that was named.
type HostKeyError struct {
	Host   string
	Shown  []string // what it showed, "ssh-ed25519 SHA256:..."
	Change bool     // another key is known of this host
}

func (e *HostKeyError) Error() string {
	what := "its host key is not known"
	if e.Change {
		what = "its host key is another than the one that is known: somebody may stand between"
	}
	return fmt.Sprintf("%s: it shows %s", what, strings.Join(e.Shown, ", "))
}

// algorithms are the kinds of host keys, one after the other: a fingerprint does not tell of what kind it is, and a server shows one key at a time.
var algorithms = [][]string{
	{ssh.KeyAlgoED25519},
	{ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521},
	{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
}

func openSSH(ctx context.Context, u *url.URL, o Options) (destination, error) {
	name := strings.TrimPrefix(u.Path, "/~/") // as in scp's URLs: below the home directory
	if u.Hostname() == "" || name == "" || strings.HasSuffix(name, "/") {
		return nil, fmt.Errorf("%w: name the host and the file: ssh://user@host/path/file", ErrDestination)
	}
	addr := net.JoinHostPort(u.Hostname(), "22")
	if u.Port() != "" {
		addr = u.Host
	}
	check, kinds, err := o.hostKeys(addr)
	if err != nil {
		return nil, err
	}
	methods, done, err := o.auth()
	if err != nil {
		return nil, err
	}
	defer done()
	login := u.User.Username()
	if login == "" {
		if me, err := user.Current(); err == nil {
			login = me.Username
		}
	}
	c, err := connect(ctx, addr, kinds, check, &ssh.ClientConfig{User: login, Auth: methods, Timeout: dialTime}, o.times())
	if err != nil {
		return nil, err
	}
	f, err := openSFTP(ctx, c, name, o.times())
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return f, nil
}

// connect tries one kind of host key after the other. The key is checked before anything is told to the other side that could be misused.
func connect(ctx context.Context, addr string, kinds [][]string, check ssh.HostKeyCallback, cfg *ssh.ClientConfig, wait times) (*ssh.Client, error) {
	var refused *HostKeyError
	var last error
	for _, k := range kinds {
		var wrong *HostKeyError
		one := *cfg
		one.HostKeyAlgorithms = k
		one.HostKeyCallback = func(host string, remote net.Addr, key ssh.PublicKey) error {
			err := check(host, remote, key)
			errors.As(err, &wrong)
			return err
		}
		c, err := handshake(ctx, addr, &one, wait)
		if err == nil {
			return c, nil
		}
		if wrong == nil && !strings.Contains(err.Error(), "no common algorithm for host key") {
			return nil, err
		}
		last = err
		if wrong != nil && refused == nil {
			refused = wrong
		} else if wrong != nil {
			refused.Shown = append(refused.Shown, wrong.Shown...)
			refused.Change = refused.Change || wrong.Change
		}
	}
	if refused != nil {
		return nil, refused
	}
	return nil, last
}

func handshake(ctx context.Context, addr string, cfg *ssh.ClientConfig, wait times) (*ssh.Client, error) {
	raw, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	late := time.AfterFunc(wait.read, func() { raw.Close() })
	defer late.Stop()
	check := cfg.HostKeyCallback
	cfg.HostKeyCallback = func(host string, remote net.Addr, key ssh.PublicKey) error {
		late.Reset(loginTime) // it is alive, and what follows waits for a person
		return check(host, remote, key)
	}
	c, channels, requests, err := ssh.NewClientConn(&patient{Conn: raw, write: wait.write}, addr, cfg)
	if err != nil {
		stop()
		raw.Close()
		return nil, fmt.Errorf("log in: %w", err)
	}
	return ssh.NewClient(c, channels, requests), nil
}

// hostKeys gives what judges a host key, and which kinds to ask for.
func (o *Options) hostKeys(addr string) (ssh.HostKeyCallback, [][]string, error) {
	if o.KnownHosts == "" {
		if o.HostKey != "" && !strings.HasPrefix(o.HostKey, "SHA256:") {
			return nil, nil, fmt.Errorf("%w: --host-key is written SHA256:..., as ssh-keygen -l shows it", ErrDestination)
		}
		return func(host string, _ net.Addr, key ssh.PublicKey) error {
			if got := ssh.FingerprintSHA256(key); o.HostKey == "" || strings.TrimRight(o.HostKey, "=") != got {
				return &HostKeyError{Host: host, Shown: []string{key.Type() + " " + got}, Change: o.HostKey != ""}
			}
			return nil
		}, algorithms, nil
	}
	known, err := knownhosts.New(o.KnownHosts)
	if err != nil {
		return nil, nil, fmt.Errorf("--known-hosts: %w", err)
	}
	check := func(host string, remote net.Addr, key ssh.PublicKey) error {
		err := known(host, remote, key)
		var x *knownhosts.KeyError
		if errors.As(err, &x) {
			if ssh.FingerprintSHA256(key) == o.HostKey {
				return nil
			}
			return &HostKeyError{Host: host, Shown: []string{key.Type() + " " + ssh.FingerprintSHA256(key)}, Change: len(x.Want) > 0}
		}
		return err
	}
	return check, algorithms, nil
}

// auth gives the ways to log in, in order, and what ends them.
func (o *Options) auth() (methods []ssh.AuthMethod, done func(), err error) {
	done = func() {}
	if o.Identity != "" {
		s, err := o.identity()
		if err != nil {
			return nil, done, fmt.Errorf("--identity: %w", err)
		}
		methods = append(methods, ssh.PublicKeys(s))
	}
	if o.Agent {
		c, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK"))
		if err != nil {
			return nil, done, fmt.Errorf("--agent: %w", err)
		}
		c.SetDeadline(time.Now().Add(2 * dialTime))
		done = func() { c.Close() }
		methods = append(methods, ssh.PublicKeysCallback(agent.NewClient(c).Signers))
	}
	if o.Ask == nil {
		return methods, done, nil
	}
	methods = append(methods, ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		b, err := o.Ask("password of the account that the collection goes to")
		return string(b), err
	}), 3), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) (out []string, err error) {
		for _, q := range questions {
			b, err := o.Ask(q)
			if err != nil {
				return nil, err
			}
			out = append(out, string(b))
		}
		return out, nil
	}))
	return methods, done, nil
}

// identity reads a private key, and asks for its passphrase.
func (o *Options) identity() (ssh.Signer, error) {
	b, err := readKey(o.Identity)
	if err != nil {
		return nil, err
	}
	s, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) || o.Ask == nil {
		return s, err
	}
	pass, err := o.Ask(fmt.Sprintf("passphrase of %q", o.Identity))
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKeyWithPassphrase(b, pass)
}
