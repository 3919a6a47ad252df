package contain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/netlink"
)

// commentType is NFTNL_UDATA_RULE_COMMENT of libnftnl: a byte of type, one of length, the text with its zero.
const commentType = 0

// nftables makes a message of nf_tables.
func nftables(kind uint16, flags uint16, family uint8, attributes []byte, what string) message {
	return message{kind: unix.NFNL_SUBSYS_NFTABLES<<8 | kind, flags: flags, body: append(genmsg(family, 0), attributes...), what: what}
}

func familyName(family uint8) string { return netlink.FilterFamily(family) }

// lay makes the messages that lay a plan.
func (p Plan) lay(bridge bool) []message {
	families := []uint8{unix.NFPROTO_INET}
	if bridge {
		families = append(families, unix.NFPROTO_BRIDGE)
	}
	const fresh = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	var out []message
	for _, f := range families {
		out = append(out, nftables(unix.NFT_MSG_NEWTABLE, fresh, f, text(nil, unix.NFTA_TABLE_NAME, Table), "make the table "+familyName(f)+" "+Table))
		set := text(text(nil, unix.NFTA_SET_TABLE, Table), unix.NFTA_SET_NAME, armedSet)
		set = number(number(set, unix.NFTA_SET_FLAGS, unix.NFT_SET_TIMEOUT), unix.NFTA_SET_KEY_TYPE, typeNFProto)
		set = number(number(set, unix.NFTA_SET_KEY_LEN, 1), unix.NFTA_SET_ID, 1)
		out = append(out, nftables(unix.NFT_MSG_NEWSET, fresh, f, set, "make a set whose elements expire"))
		out = append(out, nftables(unix.NFT_MSG_NEWSETELEM, unix.NLM_F_CREATE, f, elements(f, p.For), "arm the set"))
	}
	for _, c := range chains(bridge) {
		hook := number(number(nil, unix.NFTA_HOOK_HOOKNUM, c.hook), unix.NFTA_HOOK_PRIORITY, uint32(c.priority))
		a := nest(text(text(nil, unix.NFTA_CHAIN_TABLE, Table), unix.NFTA_CHAIN_NAME, c.name), unix.NFTA_CHAIN_HOOK, hook)
		a = text(number(a, unix.NFTA_CHAIN_POLICY, nfAccept), unix.NFTA_CHAIN_TYPE, "filter")
		out = append(out, nftables(unix.NFT_MSG_NEWCHAIN, fresh, c.family, a, fmt.Sprintf("make the chain %s %s", familyName(c.family), c.name)))
	}
	for _, r := range p.rules(bridge) {
		out = append(out, r.message())
	}
	return out
}

func (r rule) message() message {
	var list []byte
	for _, e := range r.exprs {
		list = nest(list, unix.NFTA_LIST_ELEM, nest(text(nil, unix.NFTA_EXPR_NAME, e.name), unix.NFTA_EXPR_DATA, e.data))
	}
	a := nest(text(text(nil, unix.NFTA_RULE_TABLE, Table), unix.NFTA_RULE_CHAIN, r.chain), unix.NFTA_RULE_EXPRESSIONS, list)
	say := append(append([]byte{commentType, byte(len(r.comment) + 1)}, r.comment...), 0)
	return nftables(unix.NFT_MSG_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_APPEND, r.family, put(a, unix.NFTA_RULE_USERDATA, say),
		fmt.Sprintf("lay the rule %q of %s %s", r.comment, familyName(r.family), r.chain))
}

// elements names the elements of a table's set, with the time after which they expire; 0 is never.
func elements(family uint8, life time.Duration) []byte {
	var list []byte
	for _, k := range armed(family) {
		e := nest(nil, unix.NFTA_SET_ELEM_KEY, put(nil, unix.NFTA_DATA_VALUE, []byte{k}))
		if life > 0 {
			e = put(e, unix.NFTA_SET_ELEM_TIMEOUT, binary.BigEndian.AppendUint64(nil, uint64(life.Milliseconds())))
		}
		list = nest(list, unix.NFTA_LIST_ELEM, e)
	}
	a := text(text(nil, unix.NFTA_SET_ELEM_LIST_TABLE, Table), unix.NFTA_SET_ELEM_LIST_SET, armedSet)
	return nest(a, unix.NFTA_SET_ELEM_LIST_ELEMENTS, list)
}

// rearm makes the messages that give the elements another life. They are taken out and put in anew: to change the life
// of one that stays is only known to kernels from 6.12 on.
func rearm(bridge bool, life time.Duration) []message {
	families := []uint8{unix.NFPROTO_INET}
	if bridge {
		families = append(families, unix.NFPROTO_BRIDGE)
	}
	var out []message
	for _, f := range families {
		out = append(out,
			nftables(unix.NFT_MSG_DELSETELEM, 0, f, elements(f, 0), "take the elements out of the set"),
			nftables(unix.NFT_MSG_NEWSETELEM, unix.NLM_F_CREATE, f, elements(f, life), "arm the set"))
	}
	return out
}

// remove makes the messages that take our tables out.
func remove(families []uint8) []message {
	var out []message
	for _, f := range families {
		out = append(out, nftables(unix.NFT_MSG_DELTABLE, 0, f, text(nil, unix.NFTA_TABLE_NAME, Table), "remove the table "+familyName(f)+" "+Table))
	}
	return out
}

// explain gives an error its meaning: no right, or a kernel that cannot.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", ErrRights, err)
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: %w", ErrNoFilter, err)
	}
	return err
}
