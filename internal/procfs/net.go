package procfs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"net/netip"
	"strconv"
	"strings"

	"telltale/internal/state"
)

// tcpStates are the states by their numbers, include/net/tcp_states.h.
var tcpStates = [...]string{1: "established", 2: "syn-sent", 3: "syn-received", 4: "fin-wait-1", 5: "fin-wait-2", 6: "time-wait", 7: "close", 8: "close-wait", 9: "last-ack", 10: "listen", 11: "closing", 12: "new-syn-received"}

// TCPState names a state of a TCP socket.
func TCPState(n uint8) string {
	if int(n) < len(tcpStates) {
		return tcpStates[n]
	}
	return "state " + strconv.Itoa(int(n))
}

// Net reads /proc/net/{tcp,udp,raw,icmp}{,6}: protocol is the file's name. Lines that are none are counted.
func Net(b []byte, protocol string, yield func(*state.Socket) bool) (odd int) {
	name := protocol
	if n := len(name); n > 0 && name[n-1] == '6' {
		name = name[:n-1]
	}
	for _, f := range rows(b) {
		s, ok := netLine(f, name)
		if !ok {
			odd++
			continue
		}
		if !yield(&s) {
			break
		}
	}
	return odd
}

// rows gives the lines of a table of /proc/net behind its heading, each with its fields.
func rows(b []byte) iter.Seq2[[]byte, [][]byte] {
	return func(yield func([]byte, [][]byte) bool) {
		first := true
		for line := range bytes.SplitSeq(b, []byte{'\n'}) {
			f := bytes.Fields(line)
			if first || len(f) == 0 {
				first = false
				continue
			}
			if !yield(line, f) {
				return
			}
		}
	}
}

func netLine(f [][]byte, protocol string) (s state.Socket, ok bool) {
	if len(f) < 10 || f[0][len(f[0])-1] != ':' {
		return s, false
	}
	local, ok1 := address(f[1])
	remote, ok2 := address(f[2])
	st, err := strconv.ParseUint(string(f[3]), 16, 8)
	if !ok1 || !ok2 || err != nil {
		return s, false
	}
	s = state.Socket{Protocol: protocol, Local: local, Remote: remote, UID: id(f, 7)}
	if protocol == "tcp" {
		s.State = TCPState(uint8(st))
	} else if st == 1 {
		s.State = "connected"
	}
	if tx, rx, ok := bytes.Cut(f[4], []byte{':'}); ok {
		s.Send, s.Receive = hexNumber(tx), hexNumber(rx)
	}
	s.Inode, err = strconv.ParseUint(string(f[9]), 10, 64)
	return s, err == nil
}

func hexNumber(b []byte) int64 {
	n, _ := strconv.ParseUint(string(b), 16, 32)
	return int64(n)
}

// address reads "0100007F:0016": each 32-bit word in the machine's own order, which is little-endian on all that Debian has servers for.
func address(b []byte) (string, bool) {
	host, port, ok := bytes.Cut(b, []byte{':'})
	p, err := strconv.ParseUint(string(port), 16, 16)
	if !ok || err != nil || len(host) != 8 && len(host) != 32 {
		return "", false
	}
	var raw [16]byte
	if _, err := hex.Decode(raw[:], host); err != nil {
		return "", false
	}
	for i := 0; i < len(host)/2; i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	a, _ := netip.AddrFromSlice(raw[:len(host)/2])
	return netip.AddrPortFrom(a.Unmap(), uint16(p)).String(), true
}

// Unix reads /proc/net/unix.
func Unix(b []byte, yield func(*state.Socket) bool) (odd int) {
	for line, f := range rows(b) {
		if len(f) < 7 {
			odd++
			continue
		}
		s := state.Socket{Protocol: "unix"}
		flags, _ := strconv.ParseUint(string(f[3]), 16, 32)
		inode, err := strconv.ParseUint(string(f[6]), 10, 64)
		if err != nil {
			odd++
			continue
		}
		s.Inode = inode
		if flags&0x10000 != 0 { // __SO_ACCEPTCON
			s.State = "listen"
		} else if string(f[5]) == "03" { // SS_CONNECTED
			s.State = "connected"
		}
		if len(f) > 7 {
			s.Local = state.Text(bytes.TrimSpace(line[bytes.Index(line, f[7]):]), MaxText)
		}
		if !yield(&s) {
			break
		}
	}
	return odd
}

// Packet reads /proc/net/packet.
func Packet(b []byte, yield func(*state.Socket) bool) (odd int) {
	for _, f := range rows(b) {
		if len(f) < 9 {
			odd++
			continue
		}
		inode, err := strconv.ParseUint(string(f[8]), 10, 64)
		if err != nil {
			odd++
			continue
		}
		s := state.Socket{Protocol: "packet", Inode: inode, UID: id(f, 7), Local: "interface " + state.Text(f[4], 16), State: "protocol " + state.Text(f[3], 8)}
		if !yield(&s) {
			break
		}
	}
	return odd
}

// Mountinfo reads /proc/PID/mountinfo, proc(5). Octal escapes are undone.
func Mountinfo(b []byte, yield func(*state.Mount) bool) (odd int) {
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		if len(line) == 0 {
			continue
		}
		left, right, ok := bytes.Cut(line, []byte(" - "))
		f, r := bytes.Fields(left), bytes.Split(right, []byte{' '})
		if !ok || len(f) < 6 || len(r) < 3 {
			odd++
			continue
		}
		mid, ok1 := number(f[0])
		parent, ok2 := number(f[1])
		if !ok1 || !ok2 {
			odd++
			continue
		}
		m := state.Mount{ID: int(mid), Parent: int(parent), Dev: state.Text(f[2], 32), Root: unescape(f[3]), At: unescape(f[4]), Options: state.Text(f[5], MaxText), Type: state.Text(r[0], 64), Source: unescape(r[1])}
		if !yield(&m) {
			break
		}
	}
	return odd
}

// Unescape undoes what mangle() of the kernel's fs/seq_file.c does: space, tab, newline and the backslash stand as \ooo. The bytes are as they were.
func Unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unescape gives a path as the state has it.
func unescape(b []byte) string { return state.Text([]byte(Unescape(string(b))), MaxText) }
