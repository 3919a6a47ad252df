// Package access tells who may read a file, by what the kernel asks: the execute bits of every folder above, the mode, owner and group of the file,
// the groups of the account, and POSIX ACLs. It knows nothing of capabilities, of AppArmor, SELinux or of a server that
// reads for its clients; uid 0 may read all. Source: path_resolution(7), acl(5), linux/include/uapi/linux/posix_acl_xattr.h.
package access

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"telltale/internal/bin"
)

// ACL is the extended attribute that holds a file's ACL.
const ACL = "system.posix_acl_access"

// Account is one account with all its groups.
type Account struct {
	Name     string
	UID, GID uint32
	Groups   []uint32
}

// Node is what one file or folder says of who may use it.
type Node struct {
	Mode     uint16
	UID, GID uint32
	ACL      []byte // as getxattr gives it; nil for none
	Unknown  bool   // it is not in the evidence
}

// The permission bits.
const (
	read    = 4
	execute = 1
)

// maxReaders bounds the names that are told of one file; Others stands for the rest.
const maxReaders = 256

// Words in place of names.
const (
	All    = "*"
	Others = "(and others)"
)

// Groups adds the memberships of group(5).
func Groups(as []Account, group []byte) {
	byName := make(map[string]int, len(as))
	for i := range as {
		if _, ok := byName[as[i].Name]; !ok {
			byName[as[i].Name] = i
		}
	}
	for line := range bytes.Lines(group) {
		f := strings.Split(strings.TrimRight(string(line), "\r\n"), ":")
		if len(f) < 4 || f[3] == "" {
			continue
		}
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		for _, m := range strings.Split(f[3], ",") {
			if i, ok := byName[strings.TrimSpace(m)]; ok && len(as[i].Groups) < 1024 {
				as[i].Groups = append(as[i].Groups, uint32(gid))
			}
		}
	}
}

// Readers gives the names of the accounts that may read a file below folders, All for every account; known is false where it cannot be told.
// A folder itself is asked as a file: who may read and enter it.
func Readers(folders []Node, file Node, folder bool, as []Account) (names []string, known bool) {
	want := uint16(read)
	if folder {
		want |= execute
	}
	rules := make([]rule, 0, len(folders)+1)
	for _, n := range append(slices.Clone(folders), file) {
		r, ok := ruleOf(n)
		if !ok {
			return nil, false
		}
		rules = append(rules, r)
	}
	all := true
	for i := range as {
		switch {
		case !passes(rules, &as[i], want):
			all = false
		case len(names) < maxReaders:
			names = append(names, as[i].Name)
		case len(names) == maxReaders:
			names = append(names, Others)
		}
	}
	if all && len(as) > 1 {
		return []string{All}, true
	}
	return names, true
}

// passes tells whether an account gets through the folders and has what it wants of the last.
func passes(rules []rule, a *Account, want uint16) bool {
	for j := range rules {
		w := uint16(execute)
		if j == len(rules)-1 {
			w = want
		}
		if !rules[j].allows(a, w) {
			return false
		}
	}
	return true
}

// rule is a Node in the order in which the kernel asks.
type rule struct {
	uid, gid     uint32
	owner, group uint16
	other        uint16
	users        []entry
	groups       []entry
}

type entry struct {
	id   uint32
	bits uint16
}

// The tags of posix_acl_xattr_entry.
const (
	aclVersion = 2
	tagUserObj = 0x01
	tagUser    = 0x02
	tagGrpObj  = 0x04
	tagGroup   = 0x08
	tagMask    = 0x10
	tagOther   = 0x20
)

func ruleOf(n Node) (rule, bool) {
	r := rule{uid: n.UID, gid: n.GID, owner: n.Mode >> 6 & 7, group: n.Mode >> 3 & 7, other: n.Mode & 7}
	if n.Unknown {
		return r, false
	}
	if len(n.ACL) == 0 {
		return r, true
	}
	c := bin.Little(n.ACL)
	if c.U32() != aclVersion || c.Left()%8 != 0 {
		return r, false
	}
	mask := uint16(7)
	for c.Left() > 0 {
		tag, bits, id := c.U16(), c.U16()&7, c.U32()
		switch tag {
		case tagUserObj:
			r.owner = bits
		case tagUser:
			r.users = append(r.users, entry{id, bits})
		case tagGrpObj:
			r.group = bits
		case tagGroup:
			r.groups = append(r.groups, entry{id, bits})
		case tagMask:
			mask = bits
		case tagOther:
			r.other = bits
		}
	}
	r.group &= mask
	for i := range r.users {
		r.users[i].bits &= mask
	}
	for i := range r.groups {
		r.groups[i].bits &= mask
	}
	return r, true
}

// allows asks as the kernel does: the first class that fits decides, but of several groups one that allows is enough.
func (r *rule) allows(a *Account, want uint16) bool {
	if a.UID == 0 {
		return true
	}
	if a.UID == r.uid {
		return r.owner&want == want
	}
	for _, e := range r.users {
		if e.id == a.UID {
			return e.bits&want == want
		}
	}
	member := false
	for _, e := range append([]entry{{r.gid, r.group}}, r.groups...) {
		if e.id == a.GID || slices.Contains(a.Groups, e.id) {
			member = true
			if e.bits&want == want {
				return true
			}
		}
	}
	return !member && r.other&want == want
}
