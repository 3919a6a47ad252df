package views

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// endpoint is a port of one protocol: "tcp", "tcp6", "udp", "udp6".
type endpoint struct {
	proto string
	port  int
}

// socketTable is what /proc/net/tcp and the like, or sock_diag, show.
type socketTable struct {
	ports  map[int]bool
	rows   int // without those that the counters of sockstat leave out
	inodes map[uint64]bool
}

func newSocketTable() *socketTable {
	return &socketTable{ports: map[int]bool{}, inodes: map[uint64]bool{}}
}

// States of TCP, include/net/tcp_states.h.
const (
	tcpSynRecv       = 3
	tcpTimeWait      = 6
	tcpNewSynRecv    = 12
	tcpBoundInactive = 13
)

// counted tells whether a socket in a state is counted as "inuse": those that wait and those half made are not.
func counted(state uint64) bool {
	return state != tcpTimeWait && state != tcpSynRecv && state != tcpNewSynRecv && state != tcpBoundInactive
}

// parseNet reads /proc/net/tcp, tcp6, udp or udp6 (proc_pid_net(5)):
//
//	sl: local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
func parseNet(b []byte) (t *socketTable, bad int) {
	t = newSocketTable()
	first := true
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if first || len(f) == 0 {
			first = false // the names of the columns
			continue
		}
		if len(f) < 10 {
			bad++
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		state, err2 := strconv.ParseUint(f[3], 16, 8)
		inode, err3 := strconv.ParseUint(f[9], 10, 64)
		if err != nil || err2 != nil || err3 != nil {
			bad++
			continue
		}
		t.add(int(port), state, inode)
	}
	return t, bad
}

func (t *socketTable) add(port int, state, inode uint64) {
	t.ports[port] = true
	if inode != 0 {
		t.inodes[inode] = true
	}
	if counted(state) {
		t.rows++
	}
}

// Offsets of struct inet_diag_msg, include/uapi/linux/inet_diag.h; ports are in network order.
const (
	diagState = 1
	diagSport = 4
	diagInode = 68
	diagSize  = 72
)

// diag takes one answer of sock_diag in.
func (t *socketTable) diag(body []byte) {
	if len(body) < diagSize {
		return
	}
	t.add(int(binary.BigEndian.Uint16(body[diagSport:])), uint64(body[diagState]), uint64(binary.NativeEndian.Uint32(body[diagInode:])))
}

// parseSockstat gives the "inuse" counters of /proc/net/sockstat and sockstat6: "TCP: inuse 5 orphan 0 ...".
func parseSockstat(b []byte) map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 3 || f[1] != "inuse" {
			continue
		}
		if n, err := strconv.Atoi(f[2]); err == nil {
			counts[strings.TrimSuffix(f[0], ":")] = n
		}
	}
	return counts
}

// portOf gives the port of "192.0.2.1:22", "[::1]:22" or "*:22"; 0 for none.
func portOf(local string) int {
	if ap, err := netip.ParseAddrPort(local); err == nil {
		return int(ap.Port())
	}
	n, err := strconv.ParseUint(local[strings.LastIndexByte(local, ':')+1:], 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}
