package stix

import (
	"net/netip"
	"path"
	"strconv"
	"strings"

	"telltale/report/internal/held"
	"telltale/report/internal/text"
	"telltale/story"
)

// observe makes an observable of each thing that STIX has a type for, and tells when it was seen.
func (b *bundle) observe(things []held.Thing) {
	for _, t := range things {
		id := ""
		switch t.Kind {
		case held.Address:
			id = b.address(t.Value)
		case held.Account:
			id = b.account(t.Value)
		case held.Path:
			id = b.file(t.Value, "")
		case held.Digest:
			id = b.file("", t.Value)
		case held.URL:
			id = b.observable("url", object{"value": text.Escape(t.Value)}, nil)
		case held.Domain:
			id = b.observable("domain-name", object{"value": text.Escape(t.Value)}, nil)
		}
		if id != "" {
			b.watched[string(t.Kind)+" "+t.Value] = b.seen(id, []string{id}, t.First, t.Last, t.Status)
		}
	}
}

// seen tells when things were seen. Where the evidence does not tell, they were seen when it was examined.
func (b *bundle) seen(key string, refs []string, first, last string, st story.Status) string {
	from, ok := stamp(first)
	if !ok {
		from = b.modified
	}
	to, ok := stamp(last)
	if !ok || to < from {
		to = from
	}
	return b.own("observed-data", key, object{"first_observed": from, "last_observed": to, "number_observed": 1, "object_refs": refs, "confidence": confidence[st]})
}

// address gives "" for what is no address.
func (b *bundle) address(s string) string {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	if id := b.addresses[s]; id != "" {
		return id
	}
	ip = ip.Unmap().WithZone("")
	kind := "ipv4-addr"
	if ip.Is6() {
		kind = "ipv6-addr"
	}
	id := b.observable(kind, object{"value": ip.String()}, nil)
	b.addresses[s] = id
	return id
}

func (b *bundle) account(s string) string {
	if s == "" {
		return ""
	}
	return b.observable("user-account", object{"account_type": "unix", "account_login": text.Escape(s)}, nil)
}

// file makes a file by its path, by its digest, or by both.
func (b *bundle) file(p, sha256 string) string {
	if id := b.files[p]; id != "" && sha256 == "" {
		return id
	}
	names := object{}
	if dir, name := path.Split(p); name != "" {
		names["name"] = text.Escape(name)
		if dir != "" {
			names["parent_directory_ref"] = b.observable("directory", object{"path": text.Escape(path.Clean(dir))}, nil)
		}
	}
	if sha256 != "" {
		names["hashes"] = map[string]string{"SHA-256": sha256}
	}
	if len(names) == 0 {
		return ""
	}
	id := b.observable("file", names, nil)
	if p != "" && sha256 == "" {
		b.files[p] = id
	}
	return id
}

// processes tells what the intruder left running, with its connections.
func (b *bundle) processes() {
	if b.d.Verdict.Status != story.Compromised {
		return
	}
	for i := range b.d.Running {
		if i == held.Max {
			return
		}
		r := &b.d.Running[i]
		o := object{"type": "process", "id": "process--" + random(b.key+" process "+strconv.Itoa(i)), "pid": r.PID}
		if r.Name != "" {
			o["command_line"] = text.Escape(r.Name)
		}
		if at, ok := stamp(r.Started); ok {
			o["created_time"] = at
		}
		if id := b.file(r.Exe, ""); id != "" {
			o["image_ref"] = id
		}
		if id := b.account(r.User); id != "" {
			o["creator_user_ref"] = id
		}
		var open []string
		for _, s := range r.Sockets {
			if id := b.traffic(s); id != "" {
				open = append(open, id)
			}
		}
		if len(open) > 0 {
			o["opened_connection_refs"] = open
		}
		id := b.add(o)
		b.seen(id, append([]string{id}, open...), r.Started, "", b.sure(r.Claims))
	}
}

// traffic makes the connection of a socket that is told in words, "" if they name no other machine.
func (b *bundle) traffic(socket string) string {
	to := held.Remote(socket)
	if !to.IsValid() {
		return ""
	}
	protocol, _, _ := strings.Cut(socket, " ")
	switch protocol {
	case "tcp", "udp", "sctp", "dccp", "tcp6", "udp6":
	default:
		protocol = "ip"
	}
	layer := "ipv4"
	if to.Addr().Unmap().Is6() {
		layer = "ipv6"
	}
	return b.observable("network-traffic", object{"dst_ref": b.address(to.Addr().String()), "dst_port": int(to.Port()), "protocols": []string{layer, strings.TrimSuffix(protocol, "6")}}, nil)
}
