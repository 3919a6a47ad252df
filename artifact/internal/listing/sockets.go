package listing

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"telltale/event"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// stateNames are the states of sockets as ss and netstat write them, by the names of package procfs.
var stateNames = map[string]string{"LISTEN": "listen", "LISTENING": "listen", "ESTAB": "established", "ESTABLISHED": "established", "SYN-SENT": "syn-sent", "SYN_SENT": "syn-sent", "SYN-RECV": "syn-received", "SYN_RECV": "syn-received",
	"FIN-WAIT-1": "fin-wait-1", "FIN_WAIT1": "fin-wait-1", "FIN-WAIT-2": "fin-wait-2", "FIN_WAIT2": "fin-wait-2", "TIME-WAIT": "time-wait", "TIME_WAIT": "time-wait", "CLOSE-WAIT": "close-wait", "CLOSE_WAIT": "close-wait",
	"LAST-ACK": "last-ack", "LAST_ACK": "last-ack", "CLOSING": "closing", "CLOSE": "close", "UNCONN": ""}

// State gives a state's name as our own views name it.
func State(s string) string {
	u := strings.ToUpper(strings.ReplaceAll(s, " ", "-"))
	if n, ok := stateNames[u]; ok {
		return n
	}
	return strings.ToLower(state.Text([]byte(s), 64))
}

// socket yields one.
func (r *Reader) socket(s *state.Socket) {
	e := r.event(event.SocketSeen)
	Socket(s, e)
	r.yield(e)
}

// protocols are those of the network that are kept; ss and netstat list those of the host itself, too.
var protocols = map[string]string{"tcp": "tcp", "tcp6": "tcp", "udp": "udp", "udp6": "udp", "raw": "raw", "raw6": "raw", "sctp": "sctp", "dccp": "dccp", "icmp6": "icmp", "p_raw": "packet", "p_dgr": "packet"}

// SS reads ss -anp and ss -anepo: the first column is the protocol.
func SS(r *Reader) (func([]byte) bool, func()) {
	first := true
	return func(t []byte) bool {
		f := strings.Fields(string(t))
		if first {
			first = false
			return len(f) > 0 && f[0] == "Netid"
		}
		if len(f) < 5 {
			return false
		}
		s := state.Socket{Protocol: protocols[f[0]], State: State(f[1]), Views: []string{"ss"}}
		if s.Protocol == "" {
			return true // of the host itself: unix, netlink, vsock
		}
		behind := f[5:]
		if s.Protocol == "packet" {
			s.Local, s.State = state.Text([]byte(f[4]), 64), ""
		} else {
			var ok bool
			if s.Local, ok = address(f[4]); !ok || len(f) < 6 {
				return false
			}
			s.Remote, _ = address(f[5])
			behind = f[6:]
		}
		for _, x := range behind {
			switch {
			case strings.HasPrefix(x, "users:"):
				s.PIDs = users(x)
			case strings.HasPrefix(x, "uid:"):
				n, _ := strconv.ParseUint(x[4:], 10, 32)
				s.UID = uint32(n)
			case strings.HasPrefix(x, "ino:"):
				s.Inode, _ = strconv.ParseUint(x[4:], 10, 63)
			}
		}
		r.socket(&s)
		return true
	}, nil
}

// maxHolders bounds the processes that share a socket.
const maxHolders = 256

// users reads `users:(("sshd",pid=937,fd=4),("sshd",pid=1,fd=70))`. A name may hold anything but a space; the numbers behind it are taken from the end of each.
func users(s string) (out []int) {
	for _, u := range strings.Split(s, "),(") {
		i := strings.LastIndex(u, ",pid=")
		if i < 0 {
			continue
		}
		n, _, _ := strings.Cut(u[i+len(",pid="):], ",")
		if pid, ok := pidOf(n); ok && !slices.Contains(out, pid) && len(out) < maxHolders {
			out = append(out, pid)
		}
	}
	return out
}

// address reads "10.0.0.5:22", "[::]:22", ":::22", "*:22", "127.0.0.53%lo:53": as netip writes it. A port without a number is 0.
func address(s string) (string, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", false
	}
	host, port := strings.Trim(s[:i], "[]"), s[i+1:]
	host, _, _ = strings.Cut(host, "%")
	host = strings.TrimSuffix(host, "]")
	switch host {
	case "*", "":
		host = "0.0.0.0"
	case "::", ":":
		host = "::"
	}
	a, err := netip.ParseAddr(host)
	n, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil && port != "*" {
		return "", false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)).String(), true
}

// Netstat reads netstat -an with any of p, e and o: those of TCP have a state, those of UDP may have one.
func Netstat(r *Reader) (func([]byte) bool, func()) {
	return func(t []byte) bool {
		f := strings.Fields(string(t))
		if len(f) < 5 || f[0] == "Proto" || f[0] == "Active" || f[0] == "unix" {
			return true
		}
		s := state.Socket{Protocol: protocols[f[0]], Views: []string{"netstat"}}
		local, ok1 := address(f[3])
		remote, ok2 := address(f[4])
		if s.Protocol == "" || !ok1 || !ok2 {
			return false
		}
		s.Local, s.Remote = local, remote
		for _, x := range f[5:] {
			if n, ok := stateNames[x]; ok {
				s.State = n
			}
			if n, _, ok := strings.Cut(x, "/"); ok {
				if pid, ok := pidOf(n); ok && s.PIDs == nil {
					s.PIDs = []int{pid}
				}
			}
		}
		r.socket(&s)
		return true
	}, nil
}

// Net reads a copy of /proc/net/{tcp,udp,raw}{,6}; the file's name tells which.
func Net(r *Reader) (func([]byte) bool, func()) {
	name := strings.TrimSuffix(path.Base(r.in.Path), ".txt")
	name = strings.TrimPrefix(name, "proc_net_")
	head := []byte("\n")
	return func(t []byte) bool {
		if strings.Contains(string(t), "local_address") {
			return true
		}
		odd := procfs.Net(append(head[:1:1], t...), name, func(s *state.Socket) bool {
			s.Views = []string{"proc-net"}
			r.socket(s)
			return r.on
		})
		return odd == 0
	}, nil
}
