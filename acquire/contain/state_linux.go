package contain

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/netlink"
)

// dormant is NFT_TABLE_F_DORMANT: the table is there and its chains are not asked.
const dormant = 1

// maxObjects bounds the tables, chains, rules and elements that are kept of a dump.
const maxObjects = 100_000

// found is one object as the kernel showed it: its family and attributes.
type found struct {
	family uint8
	attrs  []attr
}

// list gives all objects of a kind and family. A list that changes while it is read is read anew.
func list(c *conn, get, want uint16, family uint8, ask []byte, what string) ([]found, error) {
	var out []found
	var err error
	for range 3 {
		out = nil
		err = c.dump(nftables(get, 0, family, ask, what), func(kind uint16, body []byte) error {
			if kind != unix.NFNL_SUBSYS_NFTABLES<<8|want || len(body) < 4 {
				return nil
			}
			if len(out) >= maxObjects {
				return fmt.Errorf("more than %d", maxObjects)
			}
			a, err := attrs(bytes.Clone(body[4:]))
			out = append(out, found{body[0], a})
			return err
		})
		if !errors.Is(err, errTorn) && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return out, err
}

// str reads a string with or without its closing zero.
func str(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func u32(b []byte) uint32 { return netlink.Net32(b) }

func u64(b []byte) uint64 { return netlink.Net64(b) }

// readState reads our tables back and holds them against what their comments say.
func readState(c *conn) (State, []uint8, error) {
	tables, err := list(c, unix.NFT_MSG_GETTABLE, unix.NFT_MSG_NEWTABLE, unix.NFPROTO_UNSPEC, nil, "list the tables")
	if err != nil {
		return State{}, nil, explain(err)
	}
	var s State
	var families []uint8
	for _, t := range tables {
		if str(find(t.attrs, unix.NFTA_TABLE_NAME)) != Table || t.family != unix.NFPROTO_INET && t.family != unix.NFPROTO_BRIDGE {
			continue
		}
		families = append(families, t.family)
		s.Present = true
		s.Bridge = s.Bridge || t.family == unix.NFPROTO_BRIDGE
		if u32(find(t.attrs, unix.NFTA_TABLE_FLAGS))&dormant != 0 {
			s.Wrong = append(s.Wrong, fmt.Sprintf("the table %s %s is switched off (dormant)", familyName(t.family), Table))
		}
	}
	if !s.Present {
		return s, nil, nil
	}
	if !slices.Contains(families, unix.NFPROTO_INET) {
		s.Wrong = append(s.Wrong, "the table inet "+Table+" is missing")
	}
	for _, f := range families {
		if err := readChains(c, f, &s); err != nil {
			return s, families, err
		}
	}
	if err := readRules(c, families, &s); err != nil {
		return s, families, err
	}
	return s, families, readArmed(c, families, &s)
}

// readChains holds the chains of a table against ours.
func readChains(c *conn, family uint8, s *State) error {
	got, err := list(c, unix.NFT_MSG_GETCHAIN, unix.NFT_MSG_NEWCHAIN, family, nil, "list the chains")
	if err != nil {
		return err
	}
	got = slices.DeleteFunc(got, func(f found) bool { return str(find(f.attrs, unix.NFTA_CHAIN_TABLE)) != Table })
	for _, want := range chains(true) {
		if want.family != family {
			continue
		}
		i := slices.IndexFunc(got, func(f found) bool { return str(find(f.attrs, unix.NFTA_CHAIN_NAME)) == want.name })
		if i < 0 {
			s.Wrong = append(s.Wrong, fmt.Sprintf("the chain %s %s is missing", familyName(family), want.name))
			continue
		}
		hook, err := attrs(find(got[i].attrs, unix.NFTA_CHAIN_HOOK))
		if err != nil || find(hook, unix.NFTA_HOOK_HOOKNUM) == nil || u32(find(hook, unix.NFTA_HOOK_HOOKNUM)) != want.hook || int32(u32(find(hook, unix.NFTA_HOOK_PRIORITY))) != want.priority {
			s.Wrong = append(s.Wrong, fmt.Sprintf("the chain %s %s hangs at another place", familyName(family), want.name))
		}
	}
	return nil
}

// readRules reads our rules, learns the plan of their comments, and compares them with the rules of that plan.
func readRules(c *conn, families []uint8, s *State) error {
	var got []rule
	for _, f := range families {
		l, err := list(c, unix.NFT_MSG_GETRULE, unix.NFT_MSG_NEWRULE, f, nil, "list the rules")
		if err != nil {
			return err
		}
		for _, x := range l {
			if str(find(x.attrs, unix.NFTA_RULE_TABLE)) != Table {
				continue
			}
			r, err := parseRule(x)
			if err != nil {
				s.Wrong = append(s.Wrong, fmt.Sprintf("a rule of %s %s cannot be read: %v", familyName(f), r.chain, err))
			}
			got = append(got, r)
			s.Rules = append(s.Rules, RuleText{familyName(f), r.chain, r.comment})
			s.Plan.learn(r.comment)
			if r.comment == sayDrop {
				s.Dropped += r.dropped()
			}
		}
	}
	s.Wrong = append(s.Wrong, differ(s.Plan.rules(s.Bridge), got)...)
	return nil
}

// differ says where rules are not as they should be, chain for chain, for the kernel lists chains in its own order.
func differ(want, got []rule) []string {
	var out []string
	for _, c := range chains(true) {
		of := func(list []rule) (o []rule) {
			for _, r := range list {
				if r.family == c.family && r.chain == c.name {
					o = append(o, r)
				}
			}
			return o
		}
		w, g := of(want), of(got)
		if len(w) != len(g) {
			out = append(out, fmt.Sprintf("the chain %s %s has %d rules, and should have %d", familyName(c.family), c.name, len(g), len(w)))
			continue
		}
		for i := range w {
			if !w[i].same(g[i]) {
				out = append(out, fmt.Sprintf("rule %d of %s %s is not what its comment says", i+1, familyName(c.family), c.name))
			}
		}
	}
	if len(got) > len(want) && len(out) == 0 {
		out = append(out, "there are rules in chains that are not ours")
	}
	return out
}

// parseRule takes a rule of the kernel's apart.
func parseRule(f found) (rule, error) {
	r := rule{family: f.family, chain: str(find(f.attrs, unix.NFTA_RULE_CHAIN))}
	if u := find(f.attrs, unix.NFTA_RULE_USERDATA); len(u) >= 2 && u[0] == commentType && int(u[1]) <= len(u)-2 {
		r.comment = str(u[2 : 2+int(u[1])])
	}
	list, err := attrs(find(f.attrs, unix.NFTA_RULE_EXPRESSIONS))
	for _, a := range list {
		x, e := attrs(a.data)
		if e != nil {
			return r, e
		}
		r.exprs = append(r.exprs, expr{str(find(x, unix.NFTA_EXPR_NAME)), find(x, unix.NFTA_EXPR_DATA)})
	}
	return r, err
}

// dropped gives what the counter of a rule counted.
func (r rule) dropped() uint64 {
	for _, e := range r.exprs {
		if e.name == "counter" {
			a, _ := attrs(e.data)
			return u64(find(a, unix.NFTA_COUNTER_PACKETS))
		}
	}
	return 0
}

// same tells whether got does what r does.
func (r rule) same(got rule) bool {
	if r.comment != got.comment || len(r.exprs) != len(got.exprs) {
		return false
	}
	for i, e := range r.exprs {
		g := got.exprs[i]
		if e.name != g.name || e.name != "counter" && !covers(e.data, g.data) {
			return false
		}
	}
	return true
}

// covers tells whether got has all attributes of want, and else only zeros: a kernel also shows what it took by default,
// and the default is always 0. So an inverted lookup, which is one flag, is not taken for ours.
func covers(want, got []byte) bool {
	w, err := attrs(want)
	if err != nil {
		return false
	}
	g, err := attrs(got)
	if err != nil {
		return false
	}
	for _, a := range w {
		b := find(g, a.kind)
		if b == nil || a.nested && !covers(a.data, b) || !a.nested && !bytes.Equal(a.data, b) {
			return false
		}
	}
	for i, b := range g {
		twice := slices.IndexFunc(g, func(x attr) bool { return x.kind == b.kind }) != i
		if twice || find(w, b.kind) == nil && len(bytes.Trim(b.data, "\x00")) > 0 {
			return false
		}
	}
	return true
}

// readArmed reads which elements are left, and for how long. All of a table's have to be there for it to cut.
func readArmed(c *conn, families []uint8, s *State) error {
	s.Armed = true
	for _, f := range families {
		ask := text(text(nil, unix.NFTA_SET_ELEM_LIST_TABLE, Table), unix.NFTA_SET_ELEM_LIST_SET, armedSet)
		l, err := list(c, unix.NFT_MSG_GETSETELEM, unix.NFT_MSG_NEWSETELEM, f, ask, "list the elements of the set")
		if errors.Is(err, unix.ENOENT) {
			s.Armed, s.Wrong = false, append(s.Wrong, fmt.Sprintf("the set of %s %s is missing", familyName(f), Table))
			continue
		}
		if err != nil {
			return err
		}
		left, ends, err := lives(l)
		if err != nil {
			return err
		}
		for _, k := range armed(f) {
			d, ok := left[k]
			s.Armed = s.Armed && ok
			if ok && ends[k] && (!s.For || d < s.Left) {
				s.For, s.Left = true, d
			}
		}
	}
	return nil
}

// lives gives the elements of a set, how long each is left, and whether it ends at all.
func lives(l []found) (left map[byte]time.Duration, ends map[byte]bool, err error) {
	left, ends = map[byte]time.Duration{}, map[byte]bool{}
	for _, x := range l {
		items, err := attrs(find(x.attrs, unix.NFTA_SET_ELEM_LIST_ELEMENTS))
		if err != nil {
			return left, ends, err
		}
		for _, it := range items {
			a, err := attrs(it.data)
			if err != nil {
				return left, ends, err
			}
			key, err := attrs(find(a, unix.NFTA_SET_ELEM_KEY))
			v := find(key, unix.NFTA_DATA_VALUE)
			if err != nil || len(v) < 1 {
				continue
			}
			ms := min(u64(find(a, unix.NFTA_SET_ELEM_EXPIRATION)), uint64(MaxFor/time.Millisecond))
			left[v[0]], ends[v[0]] = time.Duration(ms)*time.Millisecond, find(a, unix.NFTA_SET_ELEM_TIMEOUT) != nil
		}
	}
	return left, ends, nil
}
