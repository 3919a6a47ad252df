package listing

import (
	"strconv"
	"strings"

	"telltale/event"
	"telltale/internal/state"
)

// lsofKinds are types of files that lsof names in its column TYPE: by them, and the descriptor before, the columns are found, for some before them may be empty.
var lsofKinds = map[string]bool{"REG": true, "DIR": true, "CHR": true, "BLK": true, "FIFO": true, "IPv4": true, "IPv6": true, "unix": true, "sock": true, "netlink": true, "pack": true, "raw": true, "raw6": true, "a_inode": true, "unknown": true, "LINK": true, "DEL": true, "vsock": true, "icmp": true}

// Lsof reads lsof -n -P with any of l, R, V and +c0. Rows of threads are passed over: they repeat their process's.
func Lsof(r *Reader) (func([]byte) bool, func()) {
	base, last, told, files := 0, 0, false, 0
	return func(t []byte) bool {
		f := strings.Fields(string(t))
		if base == 0 {
			if len(f) < 5 || f[0] != "COMMAND" {
				return strings.HasPrefix(string(t), "lsof:")
			}
			base = 3 // COMMAND PID USER
			if strings.Contains(string(t), " PPID ") {
				base = 4
			}
			return true
		}
		at := 0
		for i := 3; i+1 < len(f) && i < 8; i++ {
			if lsofKinds[f[i+1]] && descriptor(f[i]) {
				at = i
				break
			}
		}
		pid, ok := 0, false
		if at > 0 {
			pid, ok = pidOf(f[1])
		}
		if !ok {
			return strings.Contains(string(t), "NOFD") || len(f) > 3 && strings.Contains(string(t), "Permission denied")
		}
		if at != base {
			return true
		}
		if pid != last {
			last, told, files = pid, false, 0
		}
		if files++; files <= maxFiles {
			r.open(pid, f, at, string(t), &told)
		}
		return true
	}, nil
}

func descriptor(s string) bool {
	switch s {
	case "cwd", "rtd", "txt", "mem", "DEL", "ltx", "mmap", "err":
		return true
	}
	return s[0] >= '0' && s[0] <= '9'
}

// open tells of one row: f are its words, at the place of the descriptor.
func (r *Reader) open(pid int, f []string, at int, line string, told *bool) {
	name := ""
	if kind := f[at+1]; kind == "IPv4" || kind == "IPv6" {
		r.connection(pid, f, at)
		return
	}
	if i := strings.Index(line, " /"); i >= 0 {
		name = line[i+1:]
	}
	e := r.process(pid)
	switch fd := f[at]; {
	case fd == "txt" && name != "" && !*told:
		*told = true // the first is the program
		account(e, f[at-1])
		Executable(r.in, e, name)
	case fd == "cwd" && name != "":
		e.AddText(event.WorkingDirectory, state.Text([]byte(name), maxText))
	case (fd == "mem" || fd == "DEL" || fd == "txt") && name != "":
		if fd == "DEL" && !strings.HasSuffix(name, " (deleted)") {
			name += " (deleted)"
		}
		e.AddText(event.ProcessMapped, state.Text([]byte(name), maxText))
	default:
		return
	}
	r.yield(e)
}

// connection tells of a socket: "IPv4 12345 0t0 TCP 10.0.0.5:22->203.0.113.7:51234 (ESTABLISHED)".
func (r *Reader) connection(pid int, f []string, at int) {
	for i := at + 2; i+1 < len(f); i++ {
		proto := protocols[strings.ToLower(f[i])]
		if proto != "tcp" && proto != "udp" {
			continue
		}
		local, remote, _ := strings.Cut(f[i+1], "->")
		s := state.Socket{Protocol: proto, PIDs: []int{pid}, Views: []string{"lsof"}}
		var ok bool
		if s.Local, ok = address(local); !ok {
			return
		}
		if s.Remote, ok = address(remote); !ok {
			s.Remote = "0.0.0.0:0"
		}
		if i+2 < len(f) {
			s.State = State(strings.Trim(f[i+2], "()"))
		}
		inode, _ := strconv.ParseUint(f[at+2], 10, 63)
		e := r.event(event.SocketSeen)
		Socket(&s, e)
		if inode != 0 { // without whom it belongs to, which lsof does not tell of the socket
			e.AddInt(event.SocketInode, int64(inode))
		}
		r.yield(e)
		return
	}
}
