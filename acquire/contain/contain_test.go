//go:build linux

package contain

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test program play a responder's process that is killed.
func TestMain(m *testing.M) {
	if who := os.Getenv("TELLTALE_TEST_SSHD"); who != "" {
		playSSH(who)
		return
	}
	if os.Getenv("TELLTALE_TEST_ISOLATE") == "" {
		os.Exit(m.Run())
	}
	_, err := Isolate(plan(3*time.Second, "10.99.1.2", "fd99:1::2"))
	os.Stdout.WriteString("laid " + errorText(err) + "\n")
	time.Sleep(time.Minute)
}

func errorText(err error) string {
	if err == nil {
		return "without error"
	}
	return err.Error()
}

func plan(life time.Duration, allow ...string) Plan {
	p := Plan{For: life}
	for _, a := range allow {
		n, err := ParseAllow(a)
		if err != nil {
			panic(err)
		}
		p.Allow = append(p.Allow, n)
	}
	return p
}

// isolate lays a plan on the victim.
func (l *lab) isolate(p Plan) (s State) {
	l.t.Helper()
	l.in("victim", func() {
		var err error
		if s, err = Isolate(p); errors.Is(err, ErrNoFilter) {
			l.t.Skipf("this kernel cannot: %v", err)
		} else if err != nil {
			l.t.Errorf("%v; %+v", err, s)
		}
	})
	return s
}

func (l *lab) state() (s State) {
	l.in("victim", func() {
		var err error
		if s, err = Read(); err != nil {
			l.t.Error(err)
		}
	})
	return s
}

func TestIsolate(t *testing.T) {
	l := newLab(t)
	for _, who := range []string{"victim", "responder", "other"} {
		l.serve(who)
	}
	for _, who := range []string{"responder", "other"} {
		if got := l.patiently(who); got != all {
			t.Fatalf("before, %s reaches only %q", who, got)
		}
	}
	old := map[string][]net.Conn{}
	for who := range peers {
		for i := range 2 {
			old[who] = append(old[who], l.dial(who, "tcp", victimAt[who][i]), l.dial("victim", "tcp", peers[who][i]))
		}
		for _, c := range old[who] {
			if !echo(c) {
				t.Fatal("a connection does not work before")
			}
		}
	}
	if !echo(l.dial("responder", "tcp", peers["other"][0])) || !echo(l.dial("responder", "tcp", peers["other"][1])) {
		t.Fatal("the victim does not forward before")
	}
	s := l.isolate(plan(time.Hour, "10.99.1.2", "fd99:1::/64"))
	if !s.Armed || !s.For || s.Left > time.Hour || s.Left < 50*time.Minute || !s.Bridge || len(s.Wrong) > 0 || len(s.Plan.Allow) != 2 {
		t.Fatalf("%+v", s)
	}
	// Whom they had for neighbours is forgotten: ARP and neighbour discovery have to work.
	run(t, "ip", "-n", l.name+"victim", "neigh", "flush", "all")
	run(t, "ip", "-n", l.name+"responder", "neigh", "flush", "all")
	if got := l.patiently("responder"); got != all {
		t.Errorf("the responder only reaches %q", got)
	}
	if got := l.reach("other"); got != "" {
		t.Errorf("the other reaches %q", got)
	}
	for _, c := range old["responder"] {
		if !echo(c) {
			t.Error("a connection of the responder's that stood before is dead")
		}
	}
	for _, c := range old["other"] {
		if echo(c) {
			t.Error("a connection of the other's that stood before still works")
		}
	}
	for i := range 2 {
		if echo(l.dial("responder", "tcp", peers["other"][i])) {
			t.Error("the victim still forwards")
		}
		if !echo(l.dial("victim", "tcp", victimAt["other"][i])) || !echo(l.dial("victim", "tcp", []string{"127.0.0.1", "::1"}[i])) {
			t.Error("loopback is dead")
		}
	}
	if s := l.state(); s.Dropped == 0 || len(s.Wrong) > 0 {
		t.Errorf("%+v", s)
	}
	l.in("victim", func() {
		if s, err := Release(); err != nil || !s.Armed {
			t.Errorf("%+v, %v", s, err)
		}
		if _, err := Release(); !errors.Is(err, ErrNotInForce) {
			t.Error(err)
		}
	})
	if got := l.patiently("other"); got != all {
		t.Errorf("after the release the other only reaches %q", got)
	}
}

func TestEndsByItselfThoughKilled(t *testing.T) {
	l := newLab(t)
	l.serve("victim")
	l.serve("other")
	var c *exec.Cmd
	l.in("victim", func() {
		c = exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "TELLTALE_TEST_ISOLATE=1")
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Error(err)
			return
		}
		if s, err := bufio.NewReader(out).ReadString('\n'); err != nil || s != "laid without error\n" {
			t.Errorf("%q, %v", s, err)
		}
	})
	began := time.Now()
	c.Process.Signal(syscall.SIGKILL)
	c.Wait()
	if echo(l.dial("other", "tcp", victimAt["other"][0])) || echo(l.dial("victim", "udp", peers["other"][1])) {
		t.Fatal("nothing is cut")
	}
	for l.state().Armed && time.Since(began) < 6*time.Second {
		time.Sleep(50 * time.Millisecond)
	}
	if d := time.Since(began); d < 2*time.Second || d > 4*time.Second {
		t.Errorf("it ended after %v", d)
	}
	if got := l.patiently("other"); got != all {
		t.Errorf("after the end the other only reaches %q", got)
	}
	l.in("victim", func() {
		if s, err := Confirm(0); !errors.Is(err, ErrNotInForce) {
			t.Errorf("%+v, %v", s, err)
		}
	})
	// What is left of it does not stand in the way.
	if s := l.isolate(plan(time.Minute, "10.99.1.2")); !s.Armed || len(s.Wrong) > 0 {
		t.Errorf("%+v", s)
	}
}

func TestConfirmAndSecondRun(t *testing.T) {
	l := newLab(t)
	l.serve("victim")
	l.isolate(plan(2*time.Second, "10.99.1.2", "10.99.1.2", "::ffff:10.99.1.2"))
	l.in("victim", func() {
		if s, err := Isolate(plan(time.Hour, "10.99.2.2")); !errors.Is(err, ErrInForce) || len(s.Plan.Allow) != 1 {
			t.Errorf("a second run: %+v, %v", s, err)
		}
		if s, err := Confirm(time.Hour); err != nil || !s.For || s.Left < 59*time.Minute {
			t.Errorf("longer: %+v, %v", s, err)
		}
		if s, err := Confirm(2 * time.Second); err != nil || s.Left > 2*time.Second {
			t.Errorf("shorter: %+v, %v", s, err)
		}
		if s, err := Confirm(0); err != nil || s.For {
			t.Errorf("for good: %+v, %v", s, err)
		}
	})
	time.Sleep(2500 * time.Millisecond)
	if s := l.state(); !s.Armed || s.For {
		t.Errorf("%+v", s)
	}
	if echo(l.dial("other", "tcp", victimAt["other"][0])) {
		t.Error("it was confirmed, and ended")
	}
}

// TestAdminsTable lays what an administrator, or a root-kit, may have: a table that accepts everything first, and one that
// turns packets for the responder to another address.
func TestAdminsTable(t *testing.T) {
	l := newLab(t)
	l.serve("victim")
	l.serve("other")
	accept := nftables(unix.NFT_MSG_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_APPEND, unix.NFPROTO_INET, nil, "accept")
	r := rule{family: unix.NFPROTO_INET, chain: "mine", comment: "administrator's", exprs: []expr{verdict(nfAccept)}}.message()
	hook := number(number(nil, unix.NFTA_HOOK_HOOKNUM, unix.NF_INET_LOCAL_IN), unix.NFTA_HOOK_PRIORITY, 0xfffffc00)
	ch := nest(text(text(nil, unix.NFTA_CHAIN_TABLE, "admin"), unix.NFTA_CHAIN_NAME, "mine"), unix.NFTA_CHAIN_HOOK, hook)
	accept.body = append(accept.body, replaceTable(r.body[4:])...)
	var before []found
	l.in("victim", func() {
		c, err := dial(unix.NETLINK_NETFILTER)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.close()
		if err := c.transact([]message{
			nftables(unix.NFT_MSG_NEWTABLE, unix.NLM_F_CREATE, unix.NFPROTO_INET, text(nil, unix.NFTA_TABLE_NAME, "admin"), "table"),
			nftables(unix.NFT_MSG_NEWCHAIN, unix.NLM_F_CREATE, unix.NFPROTO_INET, text(ch, unix.NFTA_CHAIN_TYPE, "filter"), "chain"), accept}); err != nil {
			t.Error(err)
			return
		}
		before, err = list(c, unix.NFT_MSG_GETRULE, unix.NFT_MSG_NEWRULE, unix.NFPROTO_INET, nil, "rules")
		if err != nil || len(before) != 1 {
			t.Error(before, err)
		}
	})
	l.isolate(plan(time.Hour, "10.99.1.2"))
	if echo(l.dial("other", "tcp", victimAt["other"][0])) {
		t.Error("an accept of another table lets the other in")
	}
	l.in("victim", func() {
		if _, err := Release(); err != nil {
			t.Error(err)
		}
		c, _ := dial(unix.NETLINK_NETFILTER)
		defer c.close()
		after, err := list(c, unix.NFT_MSG_GETRULE, unix.NFT_MSG_NEWRULE, unix.NFPROTO_INET, nil, "rules")
		if err != nil || len(after) != 1 || !slices.EqualFunc(after[0].attrs, before[0].attrs, func(a, b attr) bool { return a.kind == b.kind && string(a.data) == string(b.data) }) {
			t.Errorf("the administrator's table was %v and is %v, %v", before, after, err)
		}
	})
}

// replaceTable puts the administrator's table into a rule's attributes.
func replaceTable(b []byte) []byte {
	out := text(nil, unix.NFTA_RULE_TABLE, "admin")
	list, _ := attrs(b)
	for _, a := range list {
		if a.kind != unix.NFTA_RULE_TABLE {
			out = put(out, a.kind, a.data)
		}
	}
	return out
}

func TestForeignAndChangedTables(t *testing.T) {
	l := newLab(t)
	l.in("victim", func() {
		c, err := dial(unix.NETLINK_NETFILTER)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.close()
		if s, err := Isolate(plan(time.Hour, "10.99.1.2")); err != nil {
			t.Errorf("%+v, %v", s, err)
			return
		}
		// A rule that somebody puts before ours.
		open := rule{family: unix.NFPROTO_INET, chain: "output", comment: "hole", exprs: []expr{verdict(nfAccept)}}.message()
		open.flags &^= unix.NLM_F_APPEND
		if err := c.transact([]message{open}); err != nil {
			t.Error(err)
			return
		}
		if s, err := Read(); err != nil || len(s.Wrong) == 0 || !strings.Contains(strings.Join(s.Wrong, " "), "inet output") {
			t.Errorf("a hole is not seen: %+v, %v", s, err)
		}
		if _, err := Confirm(0); !errors.Is(err, ErrUnsure) {
			t.Errorf("a table with a hole is confirmed: %v", err)
		}
		if _, err := Isolate(plan(time.Hour, "10.99.1.2")); !errors.Is(err, ErrForeign) {
			t.Error(err)
		}
		if _, err := Release(); err != nil {
			t.Error(err)
		}
		if s, err := Isolate(plan(0, "10.99.1.2")); err != nil || s.For {
			t.Errorf("%+v, %v", s, err)
		}
		// The table is switched off.
		off := number(text(nil, unix.NFTA_TABLE_NAME, Table), unix.NFTA_TABLE_FLAGS, dormant)
		if err := c.transact([]message{nftables(unix.NFT_MSG_NEWTABLE, 0, unix.NFPROTO_INET, off, "switch off")}); err != nil {
			t.Error(err)
		}
		if s, _ := Read(); !strings.Contains(strings.Join(s.Wrong, " "), "dormant") {
			t.Errorf("%+v", s)
		}
	})
}

// TestFailsWhole asks for what the kernel refuses half-way: nothing may be left.
func TestFailsWhole(t *testing.T) {
	l := newLab(t)
	l.in("victim", func() {
		c, err := dial(unix.NETLINK_NETFILTER)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.close()
		m := plan(time.Hour, "10.99.1.2").lay(false)
		bad := rule{family: unix.NFPROTO_INET, chain: "nowhere", comment: "bad", exprs: []expr{verdict(nfAccept)}}.message()
		err = c.transact(append(m, bad))
		if step := (*stepError)(nil); !errors.As(err, &step) || !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "nowhere") {
			t.Error(err)
		}
		if s, err := Read(); err != nil || s.Present {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestManyAddresses(t *testing.T) {
	l := newLab(t)
	p := Plan{For: time.Hour, DHCP: true, DNS: []netip.Addr{netip.MustParseAddr("10.99.1.53"), netip.MustParseAddr("fd99::53")}}
	for i := range MaxAllowed - 2 {
		p.Allow = append(p.Allow, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 7, byte(i), 0}), 24))
	}
	if s := l.isolate(p); !s.Armed || len(s.Wrong) > 0 || len(s.Plan.DNS) != 2 || !s.Plan.DHCP || len(s.Plan.Allow) != len(p.Allow) {
		t.Errorf("%+v", s)
	}
	l.in("victim", func() {
		if s, err := Confirm(0); err != nil {
			t.Errorf("%+v, %v", s, err)
		}
	})
	p.Allow = append(p.Allow, netip.MustParsePrefix("192.0.2.0/24"))
	if err := p.Check(); err == nil {
		t.Error("too many addresses are taken")
	}
}

func TestWithoutRights(t *testing.T) {
	l := newLab(t)
	l.in("victim", func() {
		// Of this thread only, and it ends with the test.
		h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&h, &none[0]); err != nil {
			t.Error(err)
			return
		}
		if _, err := Isolate(plan(time.Hour, "10.99.1.2")); !errors.Is(err, ErrRights) && !errors.Is(err, ErrNoFilter) {
			t.Errorf("without rights: %v", err)
		}
	})
}
