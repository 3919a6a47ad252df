package contain

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"telltale/acquire/internal/procread"
)

// tcpStates are the states of net/tcp_states.h that have a peer; a socket that listens (0A) has none.
var tcpStates = map[string]string{
	"01": "established", "02": "syn-sent", "03": "syn-received", "04": "fin-wait-1", "05": "fin-wait-2",
	"06": "time-wait", "07": "close", "08": "close-wait", "09": "last-ack", "0B": "closing", "0C": "new-syn-received",
}

// connections reads the sockets that have a peer from /proc/net, of our own network namespace.
func connections() (out []Connection, unseen []string) {
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		b, err := procread.File(self("net/"+table), procread.TableFile)
		if err != nil {
			unseen = append(unseen, "connections: "+err.Error())
		}
		list, err := parseSockets(table, b)
		if err != nil {
			unseen = append(unseen, "/proc/net/"+table+": "+err.Error())
		}
		out = append(out, list...)
	}
	return out, unseen
}

// parseSockets reads a table of proc(5), /proc/net/tcp. A line that does not fit is passed over and told once.
func parseSockets(table string, b []byte) (out []Connection, err error) {
	_, b, _ = bytes.Cut(b, []byte("\n"))
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) < 10 {
			err = errors.New("a line ends early")
			continue
		}
		state, known := tcpStates[string(f[3])]
		local, ok1 := parseEnd(string(f[1]))
		remote, ok2 := parseEnd(string(f[2]))
		inode, e := strconv.ParseUint(string(f[9]), 10, 64)
		if !ok1 || !ok2 || e != nil {
			err = errors.New("a line with no address or inode")
			continue
		}
		if !known || remote.Port() == 0 && remote.Addr().IsUnspecified() {
			continue
		}
		out = append(out, Connection{Protocol: table, Local: local, Remote: remote, State: state, inode: inode})
	}
	return out, err
}

// parseEnd reads "0100007F:1F90": the address in words of 32 bits as the machine keeps them, the port as it is.
func parseEnd(s string) (netip.AddrPort, bool) {
	at, port, _ := bytes.Cut([]byte(s), []byte(":"))
	p, err := strconv.ParseUint(string(port), 16, 16)
	raw := make([]byte, hex.DecodedLen(len(at)))
	if _, e := hex.Decode(raw, at); e != nil || err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		if littleEndian {
			slices.Reverse(raw[i : i+4])
		}
	}
	a, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), true
}

// name finds the process of each connection. It ends early with the context, with what it has.
func name(ctx context.Context, list []Connection) error {
	at := map[uint64][]int{}
	for i, c := range list {
		if c.inode != 0 {
			at[c.inode] = append(at[c.inode], i)
		}
	}
	pids, err := procread.PIDs()
	closed := 0
	for _, pid := range pids {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		inodes, e := procread.Sockets(pid)
		if e != nil {
			if !errors.Is(e, unix.ENOENT) && !errors.Is(e, unix.ESRCH) {
				closed++
			}
			continue // its connections stay without a name
		}
		for _, inode := range inodes {
			for _, i := range at[inode] {
				if s, e := procread.Of(pid); e == nil && list[i].PID == 0 {
					list[i].PID, list[i].Program = pid, s.Comm
				}
			}
		}
	}
	if closed > 0 {
		err = procread.Join(err, fmt.Errorf("%d processes are not ours to look at", closed))
	}
	return err
}
