//go:build linux

package contain

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a packet may take that is to come through. One that is to be lost is waited for as long.
const patience = 300 * time.Millisecond

// labs numbers the labs of a run.
var labs atomic.Int32

// lab is three network namespaces: responder - victim - other, each pair with its own link, IPv4 and IPv6.
type lab struct {
	t    *testing.T
	name string
}

// The addresses: the victim is .1 and ::1 on each link.
var peers = map[string][2]string{"responder": {"10.99.1.2", "fd99:1::2"}, "other": {"10.99.2.2", "fd99:2::2"}}
var victimAt = map[string][2]string{"responder": {"10.99.1.1", "fd99:1::1"}, "other": {"10.99.2.1", "fd99:2::1"}}

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip(8) of iproute2 is not here")
	}
	t.Parallel() // they mostly wait for packets that do not come
	l := &lab{t, fmt.Sprintf("telltale-%d-%d-", os.Getpid(), labs.Add(1))}
	if out, err := exec.Command("ip", "netns", "add", l.name+"victim").CombinedOutput(); err != nil {
		t.Skipf("no network namespace can be made: %s", out)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", l.name+"victim").Run() })
	v := l.name + "victim"
	run(t, "ip", "-n", v, "link", "set", "lo", "up")
	for who, at := range peers {
		n := l.name + who
		run(t, "ip", "netns", "add", n)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", n).Run() })
		run(t, "ip", "-n", v, "link", "add", who, "type", "veth", "peer", "name", "victim", "netns", n)
		run(t, "ip", "-n", n, "link", "set", "lo", "up")
		for i, bits := range []string{"/24", "/64"} {
			run(t, "ip", "-n", v, "addr", "add", victimAt[who][i]+bits, "dev", who, "nodad")
			run(t, "ip", "-n", n, "addr", "add", at[i]+bits, "dev", "victim", "nodad")
		}
		run(t, "ip", "-n", v, "link", "set", who, "up")
		run(t, "ip", "-n", n, "link", "set", "victim", "up")
		run(t, "ip", "-n", n, "route", "add", "default", "via", victimAt[who][0])
		run(t, "ip", "-n", n, "-6", "route", "add", "default", "via", victimAt[who][1])
	}
	l.in("victim", func() {
		for _, f := range []string{"ipv4/ip_forward", "ipv6/conf/all/forwarding"} {
			if err := os.WriteFile("/proc/sys/net/"+f, []byte("1"), 0); err != nil {
				t.Logf("no forwarding: %v", err)
			}
		}
	})
	return l
}

// in runs f on a thread that is in a namespace.
func (l *lab) in(who string, f func()) {
	l.t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		fd, err := unix.Open(filepath.Join("/run/netns", l.name+who), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			unix.Close(fd)
		}
		if err != nil {
			done <- err
			return
		}
		// t.Fatal ends only this goroutine: the other has to go on.
		defer func() { done <- nil }()
		f()
	}()
	if err := <-done; err != nil {
		l.t.Fatalf("enter the namespace of %s: %v", who, err)
	}
	if l.t.Failed() {
		l.t.FailNow()
	}
}

// serve answers TCP and UDP on a port of all addresses with what comes.
func (l *lab) serve(who string) {
	l.in(who, func() {
		tcp, err := net.Listen("tcp", "[::]:7777")
		if err != nil {
			l.t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", "[::]:7777")
		if err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { tcp.Close(); udp.Close() })
		go func() {
			for {
				c, err := tcp.Accept()
				if err != nil {
					return
				}
				go func() { defer c.Close(); io.Copy(c, c) }()
			}
		}()
		go func() {
			b := make([]byte, 100)
			for {
				n, from, err := udp.ReadFrom(b)
				if err != nil {
					return
				}
				udp.WriteTo(b[:n], from)
			}
		}()
	})
}

// dial connects from a namespace; nil if nobody answers.
func (l *lab) dial(who, network, to string) (c net.Conn) {
	l.in(who, func() {
		x, err := net.DialTimeout(network, net.JoinHostPort(to, "7777"), patience)
		if err == nil {
			l.t.Cleanup(func() { x.Close() })
			c = x
		}
	})
	return c
}

// echo tells whether what is sent comes back.
func echo(c net.Conn) bool {
	if c == nil {
		return false
	}
	c.SetDeadline(time.Now().Add(patience))
	b := make([]byte, 5)
	if _, err := c.Write([]byte("hello")); err != nil {
		return false
	}
	_, err := io.ReadFull(c, b)
	return err == nil && string(b) == "hello"
}

// ping tells whether an echo of ICMP comes back.
func (l *lab) ping(who, to string) (back bool) {
	l.in(who, func() {
		network, request, reply := "ip4:icmp", byte(8), byte(0)
		if strings.Contains(to, ":") {
			network, request, reply = "ip6:ipv6-icmp", 128, 129
		}
		c, err := net.Dial(network, to)
		if err != nil {
			return
		}
		defer c.Close()
		m := []byte{request, 0, 0, 0, 0x12, 0x34, 0, 1}
		sum := ^(uint16(request)<<8 + 0x1234 + 1) // of ICMPv6 the kernel makes it
		binary.BigEndian.PutUint16(m[2:], sum)
		if _, err := c.Write(m); err != nil {
			return
		}
		c.SetDeadline(time.Now().Add(patience))
		b := make([]byte, 200)
		for {
			n, _, err := c.(*net.IPConn).ReadFromIP(b) // unlike Read it takes off the header of IPv4
			if err != nil {
				return
			}
			if n >= 8 && b[0] == reply && b[4] == 0x12 && b[5] == 0x34 {
				back = true
				return
			}
		}
	})
	return back
}

// reach tells which new traffic goes between the victim and a peer, in both directions, as words.
func (l *lab) reach(who string) string {
	var out []string
	for i, v := range []string{"4", "6"} {
		for _, network := range []string{"tcp", "udp"} {
			if echo(l.dial(who, network, victimAt[who][i])) {
				out = append(out, network+v+"-in")
			}
			if echo(l.dial("victim", network, peers[who][i])) {
				out = append(out, network+v+"-out")
			}
		}
		if l.ping(who, victimAt[who][i]) {
			out = append(out, "ping"+v+"-in")
		}
		if l.ping("victim", peers[who][i]) {
			out = append(out, "ping"+v+"-out")
		}
	}
	return strings.Join(out, " ")
}

// patiently is reach for traffic that is to go: a busy machine may be late.
func (l *lab) patiently(who string) (got string) {
	for range 5 {
		if got = l.reach(who); got == all {
			break
		}
	}
	return got
}

const all = "tcp4-in tcp4-out udp4-in udp4-out ping4-in ping4-out tcp6-in tcp6-out udp6-in udp6-out ping6-in ping6-out"
