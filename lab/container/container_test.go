package container

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/lab"
)

// These tests make real servers: they need root, what Ready asks for, and half a minute each.
func needs(t *testing.T) {
	t.Helper()
	if os.Getenv("TELLTALE_CONTAINERS") == "" { // and nothing else may make containers meanwhile
		t.Skip("takes minutes: set TELLTALE_CONTAINERS=1")
	}
	if err := Ready(); err != nil {
		t.Skip(err)
	}
}

// What the process that makes a server is to do, and what it is to try to reach.
const (
	modeVariable   = "TELLTALE_LAB_TEST"
	targetVariable = "TELLTALE_LAB_TARGETS"
	ready          = "READY"
)

// TestHelper is no test: it is the process that the tests below start, and kill.
func TestHelper(t *testing.T) {
	mode := os.Getenv(modeVariable)
	if mode == "" {
		t.Skip("only as a process of the other tests")
	}
	if !IsInside() {
		status, err := Inside(context.Background(), lab.Container, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		os.Exit(status)
	}
	s := &lab.Scenario{Name: "test", Past: func(*lab.Play) error { return nil },
		Setup: func(p *lab.Play) lab.Setup {
			return lab.Setup{Hostname: "host1", Zone: "UTC", Services: []lab.Service{lab.Web}}
		},
		Story: func(p *lab.Play) error {
			if mode == "look" {
				return look(p.Stage.(*server).m)
			}
			fmt.Println(ready)
			select {}
		}}
	if _, err := lab.Make(t.Context(), s, New(), 1, t.TempDir()); err != nil {
		t.Fatal(err)
	}
}

// look prints what there is of networks on both sides of the cable, and whether anything outside answers.
func look(m *Maker) error {
	pid := fmt.Sprint(m.holder.Process.Pid)
	for _, side := range []struct{ name, pid string }{{"internet", "self"}, {"server", pid}} {
		within := []string{}
		if side.pid != "self" {
			within = []string{"nsenter", "--net=/proc/" + side.pid + "/ns/net"}
		}
		ns, err := os.Readlink("/proc/" + side.pid + "/ns/net")
		if err != nil {
			return err
		}
		fmt.Println(side.name, "namespace", ns)
		for what, words := range map[string]string{"links": "ip -o link", "routes": "ip route show default", "routes6": "ip -6 route show default", "forwarding": "cat /proc/sys/net/ipv4/ip_forward"} {
			all := append(append([]string{}, within...), strings.Fields(words)...)
			out, err := exec.Command(all[0], all[1:]...).Output()
			if err != nil {
				return fmt.Errorf("%s: %w", all, err)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
				fmt.Println(side.name, what, line)
			}
		}
		for _, target := range strings.Fields(os.Getenv(targetVariable)) {
			host, port, err := net.SplitHostPort(target)
			if err != nil {
				return err
			}
			all := append(append([]string{}, within...), "timeout", "3", "bash", "-c", "exec 3<>/dev/tcp/"+host+"/"+port)
			answer := "no"
			if exec.Command(all[0], all[1:]...).Run() == nil {
				answer = "yes"
			}
			fmt.Println(side.name, "reaches", target, answer)
		}
	}
	return nil
}

func helper(t *testing.T, mode, targets string) (*exec.Cmd, io.Reader) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestHelper$", "-test.v")
	c.Env = append(os.Environ(), modeVariable+"="+mode, targetVariable+"="+targets)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, out
}

// TestNothingLeaves proves that neither the server nor the Internet around it has a way to this machine or beyond: their only links are the two
// ends of one cable, nothing is forwarded, and a listener of this machine's hears nothing from them, though it hears us.
func TestNothingLeaves(t *testing.T) {
	needs(t)
	var l net.ListenConfig
	listener, err := l.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	heard := make(chan string, 100)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			heard <- c.RemoteAddr().String()
			_ = c.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			targets = append(targets, fmt.Sprintf("%s:%d", p.Addr(), port))
		}
	}
	c, err := net.DialTimeout("tcp", targets[0], time.Second) // we do hear
	if err != nil {
		t.Fatal(err)
	}
	if <-heard == "" || c.Close() != nil {
		t.Fatal("our own call was not heard")
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	cmd, out := helper(t, "look", strings.Join(targets, " "))
	seen := map[string][]string{}
	for s := bufio.NewScanner(out); s.Scan(); {
		if f := strings.SplitN(s.Text(), " ", 3); len(f) == 3 && (f[0] == "internet" || f[0] == "server") {
			seen[f[0]+" "+f[1]] = append(seen[f[0]+" "+f[1]], f[2])
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for side, want := range map[string]string{"internet": "lo v0", "server": "eth0 lo"} {
		var links []string
		for _, line := range seen[side+" links"] {
			_, name, _ := strings.Cut(line, ": ")
			name, _, _ = strings.Cut(name, ":")
			name, _, _ = strings.Cut(name, "@")
			links = append(links, name)
		}
		slices.Sort(links)
		if strings.Join(links, " ") != want {
			t.Errorf("%s has the links %q, want %q", side, links, want)
		}
		if ns := seen[side+" namespace"]; len(ns) != 1 || ns[0] == own {
			t.Errorf("%s has the network namespace %q, ours is %s", side, ns, own)
		}
		if f := seen[side+" forwarding"]; !slices.Equal(f, []string{"0"}) {
			t.Errorf("%s forwards: %q", side, f)
		}
		if r := seen[side+" reaches"]; len(r) != len(targets) || slices.ContainsFunc(r, func(s string) bool { return strings.HasSuffix(s, "yes") }) {
			t.Errorf("%s reaches %q", side, r)
		}
		if r := seen[side+" routes6"]; !slices.Equal(r, []string{""}) {
			t.Errorf("%s has an IPv6 way out: %q", side, r)
		}
	}
	if r := seen["internet routes"]; !slices.Equal(r, []string{""}) {
		t.Errorf("the Internet has a way out: %q", r)
	}
	if r := seen["server routes"]; len(r) != 1 || !strings.HasPrefix(r[0], "via "+gatewayIP) && !strings.HasPrefix(r[0], "default via "+gatewayIP) {
		t.Errorf("the server's way out is %q", r)
	}
	select {
	case who := <-heard:
		t.Errorf("%s reached this machine", who)
	default:
	}
}

// remains gives what makes leave behind on this machine while they run: mounts, loop devices, and processes in namespaces of their own.
func remains(t *testing.T, work string) (out []string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(mounts), "\n") {
		if strings.Contains(line, work) {
			out = append(out, "mount "+line)
		}
	}
	loops, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range loops {
		if b, err := os.ReadFile(l); err == nil && strings.Contains(string(b), work) { // it may go meanwhile
			out = append(out, "loop device "+l)
		}
	}
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if ns, err := os.Readlink(p); err == nil && ns != own {
			name, _ := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(p)), "comm")) // it may be gone
			out = append(out, "process "+p+" "+strings.TrimSpace(string(name)))
		}
	}
	return out
}

// TestKilled kills makes at three moments, as kill -9 and a lost terminal do: nothing of them stays on this machine, and the next
// make clears the folder that the killed one could not.
func TestKilled(t *testing.T) {
	needs(t)
	work := New().work
	before := remains(t, work)
	disk := func() bool { l, _ := filepath.Glob(filepath.Join(work, "case-*", "disk.img")); return len(l) > 0 }
	tree := func() bool {
		l, _ := filepath.Glob(filepath.Join(work, "case-*", "tree", "etc", "passwd"))
		return len(l) > 0
	}
	for _, tc := range []struct {
		name string
		at   func() bool
	}{{"while the tree is laid out", tree}, {"while the disk is made", disk}, {"while the server runs", nil}} {
		t.Run(tc.name, func(t *testing.T) {
			cmd, out := helper(t, "hold", "")
			lines := make(chan string)
			go func() {
				for s := bufio.NewScanner(out); s.Scan(); {
					lines <- s.Text()
				}
				close(lines)
			}()
			deadline := time.After(4 * time.Minute)
			for reached := false; !reached; {
				select {
				case line, ok := <-lines:
					if !ok {
						t.Fatal("the make ended")
					}
					reached = tc.at == nil && line == ready
				case <-time.After(20 * time.Millisecond):
					reached = tc.at != nil && tc.at()
				case <-deadline:
					t.Fatal("the moment did not come")
				}
			}
			if tc.at == nil && len(remains(t, work)) <= len(before) {
				t.Error("a running server is not seen: this test could not fail")
			}
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) {
				t.Fatal(err)
			}
			for range lines { // until all who could write are gone
			}
			var left []string
			for range 100 {
				if left = remains(t, work); len(left) <= len(before) {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Errorf("left behind: %q", left)
		})
	}
	cmd, out := helper(t, "look", "")
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if l, err := filepath.Glob(filepath.Join(work, "case-*")); err != nil || len(l) > 0 {
		t.Errorf("left in %s: %q %v", work, l, err)
	}
}
