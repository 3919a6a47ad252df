package firewall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/acquire/netlink"
	"telltale/internal/state"
)

// New gives the step.
func New() acquire.Step {
	return acquire.Step{Name: "firewall", Quick: true, Doc: "writes down the rules of the packet filter in each network namespace", Take: take}
}

// found is what one network namespace has. It is made on a thread of its own and handed over whole.
type found struct {
	rules []*state.Firewall
	views []*state.View
	fails map[string]error
}

func take(ctx context.Context, b *acquire.Box, out acquire.Out) error {
	symbols, err := b.KernelSymbols()
	if err != nil || len(symbols) == 0 {
		out.Failed("whether the kernel has nftables: its symbols cannot be read", errors.Join(err))
	}
	loaded := bytes.Contains(symbols, []byte(" nf_tables_getrule"))
	all := namespace.Spaces(b, "net")
	for i, s := range all {
		if ctx.Err() != nil {
			out.Failed(fmt.Sprintf("rules of the packet filter in %d further network namespaces", len(all)-i), ctx.Err())
			return nil
		}
		f, err := bounded.Thread(2*bounded.Patience, func() (*found, error) {
			if i > 0 { // the first is ours
				if err := namespace.Enter(b.Proc, s, unix.CLONE_NEWNET, "net"); err != nil {
					return nil, err
				}
			}
			return look(b.Proc, loaded), nil
		})
		if err != nil {
			if !bounded.Gone(err) {
				out.Failed(fmt.Sprintf("rules of the packet filter in network namespace %d", s.ID), err)
			}
			continue
		}
		if err := f.write(out, s.ID); err != nil {
			return err
		}
	}
	return nil
}

func (f *found) write(out acquire.Out, ns uint64) error {
	for what, err := range f.fails {
		out.Failed(fmt.Sprintf("%s of network namespace %d", what, ns), err)
	}
	for _, v := range f.views {
		v.Name += " net:" + strconv.FormatUint(ns, 10)
		if err := out.Record(state.ViewFile, v); err != nil {
			return err
		}
	}
	for _, r := range f.rules {
		r.NetNS = ns
		if err := out.Record(state.FirewallFile, r); err != nil {
			return err
		}
	}
	return nil
}

// look reads all of the calling thread's namespace.
func look(proc string, nft bool) *found {
	f := &found{fails: map[string]error{}}
	v := &state.View{What: "firewall", Name: "nftables"}
	if !nft {
		v.Blind = "the kernel has not loaded nftables, and asking would make it"
	} else if err := f.nftables(); err != nil {
		f.fails["nftables"] = err
		v.Blind = err.Error()
	}
	v.Count = int64(len(f.rules))
	f.views = append(f.views, v)
	for _, six := range []bool{false, true} {
		f.iptables(proc, six)
	}
	return f
}

// nftables reads the chains and rules of all tables.
func (f *found) nftables() error {
	r := &reader{sets: map[string]*set{}, numbers: map[string]int{}, hooked: map[string]*state.Firewall{}}
	err := r.ask(unix.NFT_MSG_GETCHAIN, unix.NFT_MSG_NEWCHAIN, 0, nil, func(b []byte) {
		if c, ok := parseChain(b); ok && len(r.hooked) < maxRules {
			r.hooked[c.Place()] = c
			if c.Hook != "" {
				f.rules = append(f.rules, c)
			}
		}
	})
	if err != nil {
		return err
	}
	var bodies [][]byte // sets are asked for on the way, by another conversation
	err = r.ask(unix.NFT_MSG_GETRULE, unix.NFT_MSG_NEWRULE, 0, nil, func(b []byte) {
		if len(bodies) < maxRules {
			bodies = append(bodies, bytes.Clone(b))
		}
	})
	for _, b := range bodies {
		rule, ok := parseRule(b, r.set)
		if !ok {
			continue
		}
		place := rule.Place()
		r.numbers[place]++
		rule.Number = r.numbers[place]
		if c := r.hooked[place]; c != nil {
			rule.Hook, rule.Priority, rule.Policy = c.Hook, c.Priority, c.Policy
		}
		f.rules = append(f.rules, rule)
	}
	if err == nil && len(bodies) == maxRules {
		err = fmt.Errorf("only %d rules are kept", maxRules)
	}
	return err
}

// reader asks nf_tables.
type reader struct {
	sets    map[string]*set
	numbers map[string]int
	hooked  map[string]*state.Firewall // chains by their place
}

func (r *reader) ask(get, want uint16, family uint8, attrs []byte, each func(b []byte)) error {
	const subsystem = unix.NFNL_SUBSYS_NFTABLES << 8
	return netlink.Dump(unix.NETLINK_NETFILTER, subsystem|get, append(netlink.FilterHeader(family, 0), attrs...), func(typ uint16, b []byte) error {
		if typ == subsystem|want {
			each(b)
		}
		return nil
	})
}

// families are those of a table whose name a rule's family has.
var families = map[string]uint8{"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "arp": unix.NFPROTO_ARP, "netdev": unix.NFPROTO_NETDEV, "bridge": unix.NFPROTO_BRIDGE, "ip6": unix.NFPROTO_IPV6}

// set gives what is in a set that was written out in a rule. Others have names, and may hold thousands of addresses: they are not read.
func (r *reader) set(family, table, called string) *set {
	s := &set{name: called}
	key := family + "\x00" + table + "\x00" + called
	if was := r.sets[key]; was != nil || !s.anonymous() || len(r.sets) >= maxSets {
		return was
	}
	r.sets[key] = s
	ask := netlink.Put(nil, elemsTable, append([]byte(table), 0))
	ask = netlink.Put(ask, elemsSet, append([]byte(called), 0))
	var all []raw
	err := r.ask(unix.NFT_MSG_GETSETELEM, unix.NFT_MSG_NEWSETELEM, families[family], ask, func(b []byte) {
		if len(all) <= 2*maxElements {
			all = append(all, parseElements(b)...)
		}
	})
	s.more = err != nil
	s.join(all)
	return s
}

// Of include/uapi/linux/netfilter_ipv4/ip_tables.h; those of IPv6 are numbered alike.
const (
	soGetInfo    = 64 // IPT_SO_GET_INFO
	soGetEntries = 65 // IPT_SO_GET_ENTRIES
)

// iptables reads the older tables. Only those that the namespace has are asked for, by its own list: asking for another would load and hang up one.
func (f *found) iptables(proc string, six bool) {
	called, list, family, level := "iptables", "ip_tables_names", unix.AF_INET, unix.SOL_IP
	if six {
		called, list, family, level = "ip6tables", "ip6_tables_names", unix.AF_INET6, unix.SOL_IPV6
	}
	v := &state.View{What: "firewall", Name: called}
	f.views = append(f.views, v)
	names, err := bounded.Now(filepath.Join(proc, "self/task", strconv.Itoa(unix.Gettid()), "net", list), 4096)
	if err != nil {
		if v.Blind = err.Error(); bounded.Gone(err) {
			v.Blind = "the kernel has not loaded them"
		}
		return
	}
	for _, table := range strings.Fields(string(names)) {
		rules, err := tableOf(family, level, table, six)
		if err != nil {
			f.fails[called+" "+table] = err
			v.Blind = err.Error()
		}
		f.rules = append(f.rules, rules...)
		v.Count += int64(len(rules))
	}
}

// tableOf reads one table; one that changes between the two questions is asked for again.
func tableOf(family, level int, table string, six bool) ([]*state.Firewall, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var entries struct { // struct ipt_get_entries
		name [32]byte
		size uint32
		data [0]uint64
	}
	head := int(unsafe.Offsetof(entries.data))
	l := layoutOf(six, int(unsafe.Alignof(struct{ v uint64 }{})))
	for range 3 {
		b := make([]byte, infoSize)
		copy(b, table)
		if err = ask(fd, level, soGetInfo, b); err != nil {
			break
		}
		var i info
		if i, err = parseInfo(b); err != nil {
			break
		}
		b = make([]byte, head+int(i.len))
		copy(b, table)
		*(*uint32)(unsafe.Pointer(&b[32])) = i.len
		if err = ask(fd, level, soGetEntries, b); errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			break
		}
		return parseTable(state.Text([]byte(table), maxText), b[head:], i, l)
	}
	return nil, fmt.Errorf("ask for the table %q: %w", table, err)
}

// ask calls getsockopt(2) with a question in the buffer for the answer.
func ask(fd, level, option int, b []byte) error {
	size := uint32(len(b))
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return e
	}
	return nil
}
