//go:build linux

package contain

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/acquire/internal/procread"
)

// seen is what the session under the daemon finds.
type seen struct {
	Session *Session
	Holders []int
	Parent  int
}

// playSSH is first a daemon that takes one connection, then the session under it, which looks where it comes from.
func playSSH(who string) {
	if who == "session" {
		s := Look(context.Background(), "")
		holders, _ := SessionHolders(context.Background(), "")
		json.NewEncoder(os.Stdout).Encode(seen{s.Session, holders, os.Getppid()})
		return
	}
	l, err := net.Listen("tcp", "[::]:2222")
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("ready\n")
	c, err := l.Accept()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	x := exec.Command("/proc/self/exe")
	x.Env, x.Stdout, x.Stderr = []string{"TELLTALE_TEST_SSHD=session"}, c, os.Stderr
	if err := x.Run(); err != nil {
		panic(err)
	}
}

func TestSessionOfAncestor(t *testing.T) {
	l := newLab(t)
	daemon := filepath.Join(t.TempDir(), "sshd-session")
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(daemon, b, 0o700); err != nil {
		t.Fatal(err)
	}
	x := exec.Command(daemon)
	x.Env = []string{"TELLTALE_TEST_SSHD=daemon"}
	out, err := x.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	x.Stderr = os.Stderr
	l.in("victim", func() {
		if err := x.Start(); err != nil {
			t.Error(err)
		}
	})
	defer x.Process.Kill()
	out.Read(make([]byte, 6))
	var s seen
	l.in("responder", func() {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(victimAt["responder"][0], "2222"), patience)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if err := json.NewDecoder(c).Decode(&s); err != nil {
			t.Error(err)
		}
	})
	if s.Session == nil || s.Session.Peer.String() != peers["responder"][0] || !strings.Contains(s.Session.By, "ancestor sshd-session") || !slices.Contains(s.Holders, s.Parent) {
		t.Errorf("%+v", s)
	}
	x.Wait()
}

func TestSessionByWords(t *testing.T) {
	a := netip.MustParseAddrPort("192.0.2.7:40000")
	b := netip.MustParseAddrPort("192.0.2.1:22")
	list := []Connection{{Protocol: "tcp6", Local: b, Remote: a, State: "established"}}
	if s, why := session(os.Getpid(), "192.0.2.7 40000 192.0.2.1 22", list); s == nil || s.Peer != a.Addr() || why != "" {
		t.Errorf("%+v, %q", s, why)
	}
	for _, words := range []string{"192.0.2.8 40000 192.0.2.1 22", "192.0.2.7 40001 192.0.2.1 22", "a b c d", "1 2", "192.0.2.7 99999 192.0.2.1 22", "\x1b[2J"} {
		if s, why := session(os.Getpid(), words, list); s != nil || why == "" {
			t.Errorf("%q: %+v", words, s)
		}
	}
	if s, why := session(os.Getpid(), "", list); s != nil || why != "" {
		t.Errorf("%+v, %q", s, why)
	}
}

func TestLook(t *testing.T) {
	l := newLab(t)
	l.serve("victim")
	run(t, "ip", "netns", "add", l.name+"mac")
	t.Cleanup(func() { exec.Command("ip", "netns", "del", l.name+"mac").Run() })
	out, err := exec.Command("ip", "-n", l.name+"victim", "link", "add", "mv0", "link", "other", "netns", l.name+"mac", "type", "macvlan", "mode", "bridge").CombinedOutput()
	macvlan := err == nil
	if macvlan {
		run(t, "ip", "-n", l.name+"mac", "link", "set", "mv0", "up")
	} else {
		t.Logf("no macvlan: %s", out)
	}
	c := l.dial("other", "tcp", victimAt["other"][0])
	d := l.dial("responder", "tcp", victimAt["responder"][1])
	if !echo(c) || !echo(d) {
		t.Fatal("no connections")
	}
	var s Situation
	l.in("victim", func() { s = Look(context.Background(), "") })
	s.Judge(plan(0, peers["responder"][1]))
	got := map[string]bool{}
	for _, x := range s.Connections {
		if x.PID == os.Getpid() && x.State == "established" && x.Program != "" {
			got[x.Remote.Addr().String()] = x.Stays
		}
	}
	if stays, ok := got[peers["other"][0]]; !ok || stays {
		t.Errorf("the other's connection: %v in %+v", ok, s.Connections)
	}
	if stays, ok := got[peers["responder"][1]]; !ok || !stays {
		t.Errorf("the responder's connection: %v in %+v", ok, s.Connections)
	}
	if all := strings.Join(s.NotCovered, "\n"); macvlan && !strings.Contains(all, "mv0 (macvlan) in the network namespace of") {
		t.Errorf("the macvlan is not told: %s", all)
	}
	if strings.Contains(strings.Join(s.NotCovered, "\n"), "(veth)") {
		t.Errorf("a veth is told: %q", s.NotCovered)
	}
	if _, err := os.Readlink("/proc/1/ns/net"); err == nil && !s.OtherNet {
		t.Error("that it is not the first network namespace is not told")
	}
	if len(s.Unseen) > 0 {
		t.Logf("unseen: %q", s.Unseen)
	}
}

func TestSocketsOfProc(t *testing.T) {
	if !littleEndian {
		t.Skip("the sample is of a little-endian machine")
	}
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	const good = "   1: 0100000A:0016 0700000A:9C40 01 00000000:00000000 02:00 00000000     0        0 12345 2 0 20 4 30 10 -1\n"
	const listens = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n"
	list, err := parseSockets("tcp", []byte(head+listens+good))
	if err != nil || len(list) != 1 || list[0].Local.String() != "10.0.0.1:22" || list[0].Remote.String() != "10.0.0.7:40000" || list[0].inode != 12345 {
		t.Fatalf("%+v, %v", list, err)
	}
	six := strings.Replace(good, "0700000A", "B80D0120000000000000000001000000", 1)
	if list, err := parseSockets("tcp6", []byte(head+six)); err != nil || len(list) != 1 || list[0].Remote.String() != "[2001:db8::1]:40000" {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, bad := range []string{"x\n", strings.Replace(good, "0100000A", "01", 1), strings.Replace(good, "12345", "x", 1)} {
		if list, err := parseSockets("tcp", []byte(head+bad+good)); err == nil || len(list) != 1 {
			t.Errorf("%q: %+v, %v", bad, list, err)
		}
	}
}

func FuzzSockets(f *testing.F) {
	for _, table := range []string{"tcp", "tcp6", "udp"} {
		b, _ := procread.File("/proc/self/net/"+table, 1<<20)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { parseSockets("tcp", b) })
}

// FuzzAnswers gives the decoders of the kernel's answers what is none.
func FuzzAnswers(f *testing.F) {
	for _, m := range plan(0, "10.0.0.1", "fd00::/8").lay(true) {
		f.Add(m.body)
	}
	f.Add(append(make([]byte, unix.SizeofIfInfomsg), text(nil, unix.IFLA_IFNAME, "eth0")...))
	want := plan(0, "10.0.0.1").rules(true)
	f.Fuzz(func(t *testing.T, b []byte) {
		messages(b, func(h header, body []byte) (bool, error) { return false, nil })
		parseLink(b)
		if len(b) < 4 {
			return
		}
		a, _ := attrs(b[4:])
		x := found{b[0], a}
		r, _ := parseRule(x)
		r.dropped()
		for _, w := range want {
			w.same(r)
		}
		differ(want, []rule{r})
		lives([]found{x})
		var p Plan
		p.learn(r.comment)
	})
}

func TestCovers(t *testing.T) {
	inverted := number(lookup(armedSet).data, unix.NFTA_LOOKUP_FLAGS, unix.NFT_LOOKUP_F_INV)
	plain := number(lookup(armedSet).data, unix.NFTA_LOOKUP_FLAGS, 0)
	if covers(lookup(armedSet).data, inverted) || !covers(lookup(armedSet).data, plain) || covers(lookup(armedSet).data, lookup("other").data) {
		t.Error("a lookup is not told from another")
	}
	if covers(verdict(nfDrop).data, verdict(nfAccept).data) || covers(verdict(nfDrop).data, nil) {
		t.Error("a verdict is not told from another")
	}
	twice := append(verdict(nfDrop).data, verdict(nfAccept).data...)
	if covers(verdict(nfDrop).data, twice) {
		t.Error("attributes that come twice pass")
	}
}

func TestAllow(t *testing.T) {
	for in, want := range map[string]string{"10.0.0.1": "10.0.0.1/32", "10.0.0.9/8": "10.0.0.0/8", "::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "fd00::1": "fd00::1/128", "0.0.0.0/0": "0.0.0.0/0"} {
		if n, err := ParseAllow(in); err != nil || n.String() != want {
			t.Errorf("%s: %v, %v", in, n, err)
		}
	}
	for _, bad := range []string{"", "host", "10.0.0.1/33", "10.0.0", "fe80::1%eth0", "::ffff:0:0/8", "10.0.0.1/-1"} {
		if n, err := ParseAllow(bad); err == nil {
			t.Errorf("%q: %v", bad, n)
		}
	}
}

func TestNameservers(t *testing.T) {
	got := nameservers([]byte("# x\nnameserver 127.0.0.53\nsearch a\nnameserver 192.0.2.53\n nameserver fe80::1%eth0 # y\nnameserver ::ffff:10.0.0.1\nnameserver x\nnameserver\n"))
	if len(got) != 3 || got[0].String() != "192.0.2.53" || got[1].String() != "fe80::1" || got[2].String() != "10.0.0.1" {
		t.Error(got)
	}
}
