package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/acquire/netlink"
	"telltale/internal/state"
)

// Links gives the step that writes down the network interfaces of all network namespaces.
func Links(Options) acquire.Step {
	return acquire.Step{
		Name: "links", Quick: true, Doc: "writes down network interfaces, their addresses, and the filters and programs on them",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			return inEach(ctx, b, out, func(f *interfaces, ns uint64) error { return f.write(out, ns) })
		},
	}
}

// inEach asks for the interfaces of every network namespace, each on a thread that ends after.
func inEach(ctx context.Context, b *acquire.Box, out acquire.Out, each func(f *interfaces, ns uint64) error) error {
	for i, s := range namespace.Spaces(b, "net") {
		if ctx.Err() != nil {
			out.Failed("interfaces of further network namespaces", ctx.Err())
			return nil
		}
		f, err := bounded.Thread(bounded.Patience, func() (*interfaces, error) {
			if i > 0 { // the first is ours
				if err := namespace.Enter(b.Proc, s, unix.CLONE_NEWNET, "net"); err != nil {
					return nil, err
				}
			}
			return ask()
		})
		if err != nil && !bounded.Gone(err) {
			out.Failed(fmt.Sprintf("interfaces of network namespace %d", s.ID), err)
		}
		if f == nil {
			continue
		}
		if err := each(f, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// interfaces are those of one network namespace.
type interfaces struct {
	links    []*state.Link
	carriers []carrier
}

// ask asks for all of the calling thread's namespace. What was had is given with an error, too.
func ask() (*interfaces, error) {
	f := &interfaces{}
	byIndex := map[int]*state.Link{}
	err := netlink.Dump(unix.NETLINK_ROUTE, unix.RTM_GETLINK, make([]byte, ifInfoSize), func(typ uint16, b []byte) error {
		if l, carried := parseLink(b); typ == unix.RTM_NEWLINK && l != nil && len(f.links) < maxEntries {
			f.links, f.carriers = append(f.links, l), append(f.carriers, carried...)
			byIndex[l.Index] = l
		}
		return nil
	})
	addrErr := netlink.Dump(unix.NETLINK_ROUTE, unix.RTM_GETADDR, make([]byte, ifAddrSize), func(typ uint16, b []byte) error {
		index, addr := parseAddr(b)
		if l := byIndex[index]; typ == unix.RTM_NEWADDR && l != nil && addr != "" && len(l.Addrs) < maxEntries {
			l.Addrs = append(l.Addrs, addr)
		}
		return nil
	})
	for _, l := range f.links {
		f.carriers = append(f.carriers, filters(l)...)
	}
	return f, errors.Join(err, addrErr)
}

// hooksOfTC are where filters stand: at the interface's own queue, and at the two hooks of clsact (include/uapi/linux/pkt_sched.h).
var hooksOfTC = []struct {
	parent uint32
	name   string
}{{0, "queue"}, {0xFFFFFFF2, "ingress"}, {0xFFFFFFF3, "egress"}}

// filters asks for the filters of one interface; most have none, and the kernel then refuses or gives an empty list.
func filters(l *state.Link) []carrier {
	var all []carrier
	for _, h := range hooksOfTC {
		req := make([]byte, tcMsgSize)
		binary.NativeEndian.PutUint32(req[4:], uint32(l.Index))
		binary.NativeEndian.PutUint32(req[12:], h.parent)
		netlink.Dump(unix.NETLINK_ROUTE, unix.RTM_GETTFILTER, req, func(typ uint16, b []byte) error {
			c, ok := parseFilter(b)
			c.link, c.where = l.Name, h.name
			if ok && typ == unix.RTM_NEWTFILTER && c.index == l.Index && len(all) < maxEntries && !slices.Contains(all, c) {
				all = append(all, c)
			}
			return nil
		})
	}
	return all
}

func (f *interfaces) write(out acquire.Out, ns uint64) error {
	for _, l := range f.links {
		l.NetNS = ns
		for _, c := range f.carriers {
			if c.index == l.Index {
				l.Carries = append(l.Carries, c.text())
				h := &state.Hook{Kind: c.kind, Target: c.link + " " + c.where, Detail: c.detail}
				if c.prog != 0 {
					h.Owner = fmt.Sprintf("BPF program %d", c.prog)
				}
				if err := out.Record(state.HookFile, h); err != nil {
					return err
				}
			}
		}
		if err := out.Record(state.LinkFile, l); err != nil {
			return err
		}
	}
	return nil
}
