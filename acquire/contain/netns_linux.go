package contain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/acquire/internal/procread"
)

// maxNamespaces bounds the network namespaces that are entered, linkTime each of them.
const (
	maxNamespaces = 4096
	linkTime      = 2 * time.Second
)

// iface is one interface as rtnetlink shows it.
type iface struct {
	name, kind string // the kind is empty for hardware
	up         bool
}

// ways lists interfaces whose packets our rules do not see: those of other network namespaces that lead out by themselves,
// and taps that hand packets of our own past the hooks.
func ways(ctx context.Context) (past, unseen []string) {
	own, err := links(-1)
	if err != nil {
		unseen = append(unseen, "interfaces: "+err.Error())
	}
	for _, i := range own {
		if i.kind == "macvtap" || i.kind == "ipvtap" {
			past = append(past, fmt.Sprintf("interface %s (%s) hands packets to a virtual machine past our rules", i.name, i.kind))
		}
	}
	spaces, err := namespaces(ctx)
	if err != nil {
		unseen = append(unseen, "network namespaces: "+err.Error())
	}
	for _, n := range spaces {
		if ctx.Err() != nil {
			return past, append(unseen, "some network namespaces: "+ctx.Err().Error())
		}
		list, err := bounded.Within(linkTime, func() ([]iface, error) { return linksOf(n.path) })
		if errors.Is(err, unix.ENOENT) && strings.HasPrefix(n.path, "/proc/") {
			continue // the process has ended
		}
		if err != nil {
			unseen = append(unseen, fmt.Sprintf("network namespace of %s: %v", n.who, err))
		}
		for _, i := range list {
			if goesPast(i) {
				past = append(past, fmt.Sprintf("interface %s (%s) in the network namespace of %s leads out past our rules", i.name, kindName(i.kind), n.who))
			}
		}
	}
	return past, unseen
}

func goesPast(i iface) bool { return past(i.name, i.kind, i.up) }

func kindName(kind string) string {
	if kind == "" {
		return "hardware"
	}
	return kind
}

// space is a network namespace that is not ours.
type space struct {
	path string // by which it can be entered
	who  string
}

// namespaces finds the network namespaces of processes, and those that a mount keeps.
func namespaces(ctx context.Context) ([]space, error) {
	own, err := bounded.Link(self("ns/net"))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{own: true}
	var out []space
	pids, err := procread.PIDs()
	closed := 0
	for _, pid := range pids {
		if ctx.Err() != nil || len(out) >= maxNamespaces {
			return out, procread.Join(ctx.Err(), errors.New("not all were looked at"))
		}
		path := "/proc/" + strconv.Itoa(pid) + "/ns/net"
		l, e := bounded.Link(path)
		if e != nil && !errors.Is(e, unix.ENOENT) {
			closed++
		}
		if e != nil || seen[l] {
			continue
		}
		seen[l] = true
		who := "PID " + strconv.Itoa(pid)
		if s, e := procread.Of(pid); e == nil {
			who += " (" + s.Comm + ")"
		}
		out = append(out, space{path, who})
	}
	b, e := procread.File("/proc/self/mountinfo", procread.TableFile)
	for line := range strings.Lines(string(b)) {
		// proc(5): id parent device root mountpoint options ... - type source options; the root of a namespace is "net:[4026532281]".
		f := strings.Fields(line)
		if len(f) > 4 && strings.HasPrefix(f[3], "net:[") && slices.Contains(f, "nsfs") && !seen[f[3]] && len(out) < maxNamespaces {
			seen[f[3]] = true
			out = append(out, space{f[4], f[4]})
		}
	}
	if closed > 0 {
		err = procread.Join(err, fmt.Errorf("those of %d processes are not ours to look at", closed))
	}
	return out, procread.Join(err, e)
}

// linksOf lists the interfaces of another network namespace. The thread that enters it is not used again.
func linksOf(path string) ([]iface, error) {
	type answer struct {
		list []iface
		err  error
	}
	c := make(chan answer, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		// A namespace in /proc is a link that leads to nothing but itself, so it has to be followed.
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			c <- answer{nil, fmt.Errorf("open it: %w", err)}
			return
		}
		defer unix.Close(fd)
		list, err := links(fd)
		c <- answer{list, err}
	}()
	a := <-c
	return a.list, a.err
}

// links lists the interfaces of the namespace of fd, or of our own for -1. It changes the thread's namespace for fd.
func links(fd int) ([]iface, error) {
	if fd >= 0 {
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return nil, fmt.Errorf("enter it: %w", err)
		}
	}
	c, err := dial(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var out []iface
	m := message{kind: unix.RTM_GETLINK, body: make([]byte, unix.SizeofIfInfomsg), what: "list the interfaces"}
	err = c.dump(m, func(kind uint16, body []byte) error {
		if kind != unix.RTM_NEWLINK || len(out) >= maxObjects {
			return nil
		}
		i, err := parseLink(body)
		if err == nil {
			out = append(out, i)
		}
		return err
	})
	return out, err
}

// parseLink reads struct ifinfomsg and its attributes.
func parseLink(b []byte) (iface, error) {
	if len(b) < unix.SizeofIfInfomsg {
		return iface{}, errors.New("an interface that ends early")
	}
	up := binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP != 0
	a, err := attrs(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return iface{}, err
	}
	info, err := attrs(find(a, unix.IFLA_LINKINFO))
	return iface{str(find(a, unix.IFLA_IFNAME)), str(find(info, unix.IFLA_INFO_KIND)), up}, err
}
