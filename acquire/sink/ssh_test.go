package sink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// server speaks SSH and as much of SFTP as is needed, and misbehaves as it is told.
type server struct {
	addr string
	key  ssh.Signer
	kept bytes.Buffer

	room int            // bytes of content that are taken; then end is done
	end  func(net.Conn) // nil: the disk is full
}

func keyOf(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, k, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ssh.MarshalPrivateKey(k, "")
	if err != nil {
		t.Fatal(err)
	}
	return s, pem.EncodeToMemory(b)
}

func serve(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.addr = l.Addr().String()
	s.key, _ = keyOf(t)
	cfg := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if string(p) != "right" {
			return nil, errors.New("wrong")
		}
		return nil, nil
	}}
	cfg.AddHostKey(s.key)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go s.one(c, cfg)
		}
	}()
	return s
}

func (s *server) one(raw net.Conn, cfg *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(raw, cfg)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		c, rs, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range rs {
				r.Reply(r.Type == "subsystem", nil)
			}
		}()
		go s.sftp(raw, c)
	}
}

func (s *server) sftp(raw net.Conn, c ssh.Channel) {
	answer := func(kind byte, id uint32, rest ...byte) {
		p := append(packet(kind, id), rest...)
		binary.BigEndian.PutUint32(p, uint32(len(p)-4))
		c.Write(p)
	}
	status := func(id, code uint32, text string) {
		b := binary.BigEndian.AppendUint32(nil, code)
		b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
		answer(fxpStatus, id, append(append(b, text...), 0, 0, 0, 0)...)
	}
	for {
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		id := binary.BigEndian.Uint32(b[1:])
		switch b[0] {
		case fxpInit:
			answer(fxpVersion, 3)
		case fxpOpen:
			answer(fxpHandle, id, 0, 0, 0, 1, 'h')
		case fxpFstat:
			answer(fxpAttrs, id, binary.BigEndian.AppendUint64([]byte{0, 0, 0, 1}, uint64(s.kept.Len()))...)
		case fxpWrite:
			data := b[1+4+5+8+4:]
			if s.room > 0 && s.kept.Len()+len(data) > s.room {
				if s.end == nil {
					status(id, 4, "no\x1bspace")
					continue
				}
				s.end(raw)
				return
			}
			s.kept.Write(data)
			status(id, fxOK, "")
		default:
			status(id, fxOK, "")
		}
	}
}

func (s *server) options() Options {
	return Options{HostKey: ssh.FingerprintSHA256(s.key.PublicKey()), Ask: func(string) ([]byte, error) { return []byte("right"), nil }, wait: short}
}

func (s *server) open(t *testing.T, o Options) (*Sink, error) {
	return Open(t.Context(), "ssh://me@"+s.addr+"/x", o)
}

func TestSSH(t *testing.T) {
	s := serve(t, &server{})
	w, err := s.open(t, s.options())
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 5<<20+7)
	want[3<<20] = 1
	for b := want; len(b) > 0; b = b[min(len(b), 100001):] {
		if _, err := w.Write(b[:min(len(b), 100001)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || w.Taken() != int64(len(want)) || !bytes.Equal(s.kept.Bytes(), want) {
		t.Error(err, w.Taken())
	}
}

// TestVanishedPeer lets the other side go away in each way there is: it must be noticed in time, and what was taken over must be told.
func TestVanishedPeer(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for _, c := range []struct {
		name string
		end  func(net.Conn)
		want string
	}{
		{"drops the connection", func(c net.Conn) { c.Close() }, ""},
		{"resets the connection", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }, ""},
		{"says nothing more", func(net.Conn) { <-release }, "not all was confirmed"},
		{"is full", nil, `the server says "no\x1bspace" (SSH_FX 4)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &server{room: 1 << 20, end: c.end})
			w, err := s.open(t, s.options())
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			for range 24 { // less than what may be unconfirmed: closing has to notice
				if _, err = w.Write(make([]byte, 100<<10)); err != nil {
					break
				}
			}
			if err == nil {
				err = w.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bytes and no more") || w.Taken() > 1<<20 || w.Taken() < 900<<10 && c.want != "" { // a reset throws confirmations away
				t.Errorf("%d: %v", w.Taken(), err)
			}
			if w.Close() == nil || time.Since(started) > 5*time.Second {
				t.Error("it took", time.Since(started))
			}
		})
	}
}

// silent is a way to the server that is cut without a word, as a cable is.
func silent(t *testing.T, to string) (addr string, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	gone := make(chan struct{})
	pipe := func(from, to net.Conn) {
		b := make([]byte, 64<<10)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			select {
			case <-gone:
				return
			default:
				to.Write(b[:n])
			}
		}
	}
	go func() {
		a, err := l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		t.Cleanup(func() { a.Close(); b.Close() })
		go pipe(a, b)
		pipe(b, a)
	}()
	return l.Addr().String(), func() { close(gone) }
}

func TestSilentPeer(t *testing.T) {
	s := serve(t, &server{})
	addr, cut := silent(t, s.addr)
	w, err := Open(t.Context(), "ssh://me@"+addr+"/x", s.options())
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 100))
	cut()
	started := time.Now()
	for err = nil; err == nil && time.Since(started) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		_, err = w.Write([]byte("x"))
	}
	if err == nil || !strings.Contains(err.Error(), "has not answered for") {
		t.Error(err)
	}
}

func TestSSHMute(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	started := time.Now()
	if _, err := Open(t.Context(), "ssh://me@"+l.Addr().String()+"/x", Options{wait: short}); err == nil || time.Since(started) > 5*time.Second {
		t.Error(err, time.Since(started))
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, &server{})
	w, err := Open(ctx, "ssh://me@"+s.addr+"/x", s.options())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for err = nil; err == nil && time.Since(started) < 10*time.Second; time.Sleep(time.Millisecond) {
		_, err = w.Write([]byte("x"))
	}
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestHostKeys(t *testing.T) {
	s := serve(t, &server{})
	asked := false
	o := s.options()
	o.Ask = func(string) ([]byte, error) { asked = true; return []byte("right"), nil }
	refused := func(what string, change bool) {
		t.Helper()
		_, err := s.open(t, o)
		var x *HostKeyError
		if !errors.As(err, &x) || x.Change != change || len(x.Shown) != 1 || x.Shown[0] != "ssh-ed25519 "+ssh.FingerprintSHA256(s.key.PublicKey()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	o.HostKey = ""
	refused("none was named", false)
	o.HostKey = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
	refused("another was named", true)
	o.HostKey = ""
	o.KnownHosts = filepath.Join(t.TempDir(), "known")
	other, _ := keyOf(t)
	write := func(k ssh.Signer, host string) {
		os.WriteFile(o.KnownHosts, []byte(knownhosts.Line([]string{host}, k.PublicKey())+"\n"), 0o600)
	}
	write(s.key, "elsewhere")
	refused("the file names other hosts", false)
	write(other, s.addr)
	refused("the file names another key", true)
	if asked {
		t.Error("a password was asked for before the host was known")
	}
	write(s.key, s.addr)
	w, err := s.open(t, o)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	o.Ask = func(string) ([]byte, error) { return []byte("wrong"), nil }
	if _, err := s.open(t, o); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Error(err)
	}
	o.Ask = nil
	if _, err := s.open(t, o); err == nil {
		t.Error("nobody could be asked, and it is open")
	}
	o.HostKey, o.KnownHosts = "MD5:00", ""
	if _, err := s.open(t, o); !errors.Is(err, ErrDestination) {
		t.Error(err)
	}
}

// TestRealServer logs in to sshd(8) with a key, a locked key, an agent, and against host keys of another kind.
func TestRealServer(t *testing.T) {
	d := startSSHD(t)
	for name, o := range map[string]Options{
		"key":    {Identity: d.file("id"), HostKey: d.print},
		"locked": {Identity: d.file("locked"), HostKey: d.print, Ask: func(string) ([]byte, error) { return []byte("pass"), nil }},
		"agent":  {Agent: true, KnownHosts: d.file("known")},
	} {
		to := filepath.Join(d.dir, "got "+name)
		s, err := Open(t.Context(), "ssh://"+d.user+"@"+d.addr+strings.ReplaceAll(to, " ", "%20"), o)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, d.log())
		}
		want := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
		started := time.Now()
		if _, err := s.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil || s.Taken() != int64(len(want)) {
			t.Errorf("%s: %v, %d bytes", name, err, s.Taken())
		}
		t.Logf("%d bytes in %s", len(want), time.Since(started))
		got, err := os.ReadFile(to)
		if st, e := os.Stat(to); err != nil || e != nil || !bytes.Equal(got, want) || st.Mode() != 0o600 {
			t.Errorf("%s: %v %v", name, err, st)
		}
		if _, err := Open(t.Context(), "ssh://"+d.user+"@"+d.addr+strings.ReplaceAll(to, " ", "%20"), o); err == nil || !strings.Contains(err.Error(), "SSH_FX") {
			t.Errorf("%s: a file that is there: %v", name, err)
		}
	}
	_, err := Open(t.Context(), "ssh://"+d.user+"@"+d.addr+"/x", Options{Identity: d.file("wrong"), HostKey: d.print})
	if err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Error(err)
	}
	_, err = Open(t.Context(), "ssh://"+d.user+"@"+d.addr+"/x", Options{Identity: d.file("id")})
	var x *HostKeyError
	if !errors.As(err, &x) || len(x.Shown) != 2 || x.Change {
		t.Error(err)
	}
}

type sshd struct{ dir, addr, print, user string }

func (d *sshd) file(name string) string { return filepath.Join(d.dir, name) }
func (d *sshd) log() string             { b, _ := os.ReadFile(d.file("log")); return string(b) }

// startSSHD starts one on a port of its own, with two host keys, of which the second kind is the one that is known.
func startSSHD(t *testing.T) *sshd {
	program, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		t.Skip("no sshd(8) here")
	}
	me, err := user.Current()
	if err != nil || me.Uid != "0" {
		t.Skip("sshd(8) needs root to log anybody in")
	}
	if _, err := os.Stat("/run/sshd"); err != nil {
		if err := os.Mkdir("/run/sshd", 0o755); err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { os.Remove("/run/sshd") })
	}
	d := &sshd{dir: t.TempDir(), user: me.Username}
	signer, private := keyOf(t)
	_, host := keyOf(t)
	_, wrong := keyOf(t)
	os.WriteFile(d.file("id"), private, 0o600)
	os.WriteFile(d.file("wrong"), wrong, 0o600)
	os.WriteFile(d.file("host"), host, 0o600)
	locked := d.lock(t)
	ecdsa := d.ecdsa(t)
	d.print = ssh.FingerprintSHA256(ecdsa.PublicKey())
	socket, added := d.agent(t)
	t.Setenv("SSH_AUTH_SOCK", socket)
	var allowed []byte
	for _, k := range []ssh.PublicKey{signer.PublicKey(), locked.PublicKey(), added.PublicKey()} {
		allowed = append(allowed, ssh.MarshalAuthorizedKey(k)...)
	}
	os.WriteFile(d.file("allowed"), allowed, 0o600)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(d.addr)
	l.Close()
	os.WriteFile(d.file("known"), []byte(knownhosts.Line([]string{d.addr}, ecdsa.PublicKey())+"\n"), 0o600)
	cfg := fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %s\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n", port, d.file("host"), d.file("ecdsa"), d.file("allowed"))
	os.WriteFile(d.file("config"), []byte(cfg), 0o600)
	c := exec.Command(program, "-D", "-e", "-f", d.file("config"))
	log, err := os.Create(d.file("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for range 100 {
		if x, err := net.Dial("tcp", d.addr); err == nil {
			x.Close()
			return d
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Skip("sshd(8) does not start: ", d.log())
	return nil
}

func (d *sshd) lock(t *testing.T) ssh.Signer {
	_, k, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ssh.MarshalPrivateKeyWithPassphrase(k, "", []byte("pass"))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(d.file("locked"), pem.EncodeToMemory(b), 0o600)
	s, _ := ssh.NewSignerFromKey(k)
	return s
}

// ecdsa makes the second host key.
func (d *sshd) ecdsa(t *testing.T) ssh.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ssh.MarshalPrivateKey(k, "")
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(d.file("ecdsa"), pem.EncodeToMemory(b), 0o600)
	s, err := ssh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agent runs one with a key of its own.
func (d *sshd) agent(t *testing.T) (string, ssh.Signer) {
	_, k, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: k}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", d.file("agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, c)
		}
	}()
	s, _ := ssh.NewSignerFromKey(k)
	return d.file("agent"), s
}

// FuzzReply reads what a server may answer.
func FuzzReply(f *testing.F) {
	for _, s := range []string{"\x00\x00\x00\x05\x02\x00\x00\x00\x03", "\x00\x00\x00\x0a\x66\x00\x00\x00\x00\x00\x00\x00\x01h", "\x00\x00\x00\x11\x65\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x11\x69\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var buf [4096]byte
		r := bytes.NewReader(b)
		for {
			x, err := readReply(r, buf[:])
			if err != nil {
				return
			}
			if len(x.text) > 500 {
				t.Error("a long text")
			}
		}
	})
}
