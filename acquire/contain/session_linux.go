package contain

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"telltale/acquire/bounded"
	"telltale/acquire/internal/procread"
)

// session finds whence the caller came: first by the nearest of our ancestors that is a daemon of ssh with a connection,
// then by the words of SSH_CONNECTION, which count only if such a connection is there: any shell's profile may set them.
// Under tmux and screen the first way ends at their server, and the words may be those of an older session.
func session(pid int, words string, list []Connection) (*Session, string) {
	up, err := procread.Ancestors(pid)
	for _, a := range up {
		if !daemon(a.Comm) {
			continue
		}
		inodes, _ := procread.Sockets(a.PID)
		for _, inode := range inodes {
			for _, c := range list {
				if c.inode == inode && c.State == "established" && !c.Remote.Addr().IsLoopback() && strings.HasPrefix(c.Protocol, "tcp") {
					return &Session{c.Remote.Addr(), fmt.Sprintf("our ancestor %s (PID %d) holds the connection from %v", a.Comm, a.PID, c.Remote)}, ""
				}
			}
		}
	}
	if words == "" {
		if err != nil {
			return nil, "session: " + err.Error()
		}
		return nil, ""
	}
	local, remote, ok := sshConnection(words)
	if !ok {
		return nil, "session: SSH_CONNECTION is not as sshd writes it"
	}
	for _, c := range list {
		if c.Remote == remote && c.Local == local && c.State == "established" {
			return &Session{remote.Addr(), fmt.Sprintf("SSH_CONNECTION names %v, and that connection stands", remote)}, ""
		}
	}
	return nil, fmt.Sprintf("session: SSH_CONNECTION names %v, and no such connection is seen", remote)
}

// sshConnection reads "client port server port" of sshd(8).
func sshConnection(s string) (local, remote netip.AddrPort, ok bool) {
	f := strings.Fields(s)
	if len(f) != 4 {
		return local, remote, false
	}
	var ends [2]netip.AddrPort
	for i := range ends {
		a, err := netip.ParseAddr(f[2*i])
		p, e := strconv.ParseUint(f[2*i+1], 10, 16)
		if err != nil || e != nil {
			return local, remote, false
		}
		ends[i] = netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(p))
	}
	return ends[1], ends[0], true
}

// SessionHolders gives the processes that hold the connection over which the caller came, as far as it is found: the daemon
// of ssh parts itself in two. words is SSH_CONNECTION of the environment.
func SessionHolders(ctx context.Context, words string) ([]int, error) {
	list, _ := connections()
	s, _ := session(os.Getpid(), words, list)
	if s == nil {
		return nil, nil
	}
	peers := map[uint64]bool{}
	for _, c := range list {
		// All connections of that peer's that a daemon may hold: better one too many kept than the session frozen.
		if c.inode != 0 && c.Remote.Addr() == s.Peer && strings.HasPrefix(c.Protocol, "tcp") {
			peers[c.inode] = true
		}
	}
	return bounded.Within(lookTime, func() (out []int, err error) {
		pids, err := procread.PIDs()
		for _, pid := range pids {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			inodes, _ := procread.Sockets(pid)
			if s, e := procread.Of(pid); e == nil && slices.ContainsFunc(inodes, func(i uint64) bool { return peers[i] }) && daemon(s.Comm) {
				out = append(out, pid)
			}
		}
		return out, err
	})
}

// daemon tells whether a process calls itself as a daemon of ssh does.
func daemon(comm string) bool {
	return strings.HasPrefix(comm, "sshd") || strings.HasPrefix(comm, "dropbear")
}
