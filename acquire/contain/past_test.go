//go:build linux

package contain

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// nft runs nft(8) in the victim's namespace.
func (l *lab) nft(input string) string {
	l.t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		l.t.Skip("nft(8) of nftables is not here")
	}
	c := exec.Command("ip", "netns", "exec", l.name+"victim", "nft", "-f", "-")
	c.Stdin = strings.NewReader(input)
	out, err := c.CombinedOutput()
	if err != nil {
		l.t.Fatalf("nft: %v: %s", err, out)
	}
	return string(out)
}

// TestTurnedElsewhere has another table turn packets for the responder to the other, after our output has let them through.
func TestTurnedElsewhere(t *testing.T) {
	l := newLab(t)
	l.nft("table ip evil {\n chain out {\n type nat hook output priority -100\n ip daddr 10.99.1.2 dnat to 10.99.2.2\n }\n}\n")
	l.serve("other") // and nobody at the responder's
	if !echo(l.dial("victim", "tcp", peers["responder"][0])) {
		t.Fatal("nothing is turned before")
	}
	l.isolate(plan(time.Hour, "10.99.1.2"))
	if echo(l.dial("victim", "tcp", peers["responder"][0])) || echo(l.dial("victim", "udp", peers["responder"][0])) {
		t.Error("what is turned elsewhere goes out")
	}
}

// TestNftReadsIt holds our messages against what nft(8) understands of them.
func TestNftReadsIt(t *testing.T) {
	l := newLab(t)
	p := plan(0, "10.99.0.0/17", "fd99:1::2")
	p.DHCP = true
	l.isolate(p)
	got := l.nft("list ruleset\n")
	for _, want := range []string{"type filter hook input priority -400; policy accept;", "type filter hook postrouting priority 400; policy accept;",
		`iif "lo" accept`, "ip saddr 10.99.0.0/17 accept", "ip daddr 10.99.0.0/17 accept", "ip6 saddr fd99:1::2 accept", "udp dport 68 udp sport 67 accept",
		"ip6 hoplimit 255 icmpv6 type 133-136 accept", "meta nfproto @armed counter packets", "elements = { ipv4, ipv6 }", "table bridge telltale"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestBridge has two namespaces talk over a bridge of the victim's, which never asks family inet.
func TestBridge(t *testing.T) {
	l := newLab(t)
	v := l.name + "victim"
	if out, err := exec.Command("ip", "-n", v, "link", "add", "br0", "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("no bridge can be made: %s", out)
	}
	for i, who := range []string{"left", "right"} {
		n := l.name + who
		run(t, "ip", "netns", "add", n)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", n).Run() })
		run(t, "ip", "-n", v, "link", "add", who, "type", "veth", "peer", "name", "e0", "netns", n)
		run(t, "ip", "-n", v, "link", "set", who, "master", "br0", "up")
		run(t, "ip", "-n", n, "addr", "add", []string{"10.98.0.1/24", "10.98.0.2/24"}[i], "dev", "e0")
		run(t, "ip", "-n", n, "link", "set", "e0", "up")
	}
	run(t, "ip", "-n", v, "link", "set", "br0", "up")
	l.in("victim", func() {
		// Else bridged packets are shown to family inet as well, and it is not the table of family bridge that is tested.
		_ = os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-iptables", []byte("0"), 0)
	})
	l.serve("right")
	var c net.Conn
	for range 20 {
		if c = l.dial("left", "tcp", "10.98.0.2"); c != nil {
			break
		}
	}
	if !echo(c) {
		t.Fatal("the bridge does not carry before")
	}
	if s := l.isolate(plan(time.Hour, "10.98.0.0/24")); !s.Bridge {
		t.Skip("this kernel has no filter for bridges")
	}
	if echo(c) || echo(l.dial("left", "tcp", "10.98.0.2")) {
		t.Error("the bridge still carries")
	}
}
