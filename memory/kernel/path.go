package kernel

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of a path.
const (
	maxDepth    = 512 // directories and mounts
	maxNameLen  = 255 // NAME_MAX
	maxSiblings = 10_000
)

// file is what a path or an open file leads to.
type file struct {
	path    string // as /proc shows it, without " (deleted)"
	deleted bool
	dentry  object
	inode   object
}

// path gives what a struct path leads to, as d_path() of fs/d_path.c would name it from the first of all roots.
func (k *Kernel) path(p object) file {
	f := file{dentry: p.to("dentry")}
	f.inode = f.dentry.to("d_inode")
	if !f.dentry.there() {
		return f
	}
	mnt := p.to("mnt")
	if f.dentry.uint("d_parent") == f.dentry.addr && mnt.uint("mnt_root") != f.dentry.addr {
		f.path, f.deleted = k.pseudo(f)
		return f
	}
	f.deleted = f.dentry.uint("d_hash.pprev") == 0 && f.dentry.uint("d_parent") != f.dentry.addr
	f.path = k.climb(f.dentry, mnt)
	return f
}

// climb gives the names from a directory entry up to the root.
func (k *Kernel) climb(d, mnt object) string {
	var parts []string
	top := "/"
	for range maxDepth {
		if d.addr == mnt.uint("mnt_root") {
			m := mnt.container("mount", "mnt")
			parent := m.to("mnt_parent")
			if !parent.there() || parent.addr == m.addr {
				break
			}
			d, mnt = m.to("mnt_mountpoint"), parent.in("mnt")
			continue
		}
		parent := d.to("d_parent")
		if !parent.there() || parent.addr == d.addr {
			top = "(unreachable)/"
			break
		}
		parts = append(parts, string(k.entry(d)))
		d = parent
	}
	slices.Reverse(parts)
	return top + strings.Join(parts, "/")
}

// entry gives the name of a directory entry.
func (k *Kernel) entry(d object) []byte {
	n := min(d.u32("d_name.len"), maxNameLen)
	b := k.cstring(d.uint("d_name.name"), int(n))
	if len(b) == 0 && d.there() {
		return []byte("?")
	}
	return b
}

// pseudo names what lies in no directory: pipes, sockets, memory without a file.
func (k *Kernel) pseudo(f file) (string, bool) {
	name := string(k.entry(f.dentry))
	switch kind := string(k.cstring(f.dentry.to("d_sb").to("s_type").uint("name"), 64)); kind {
	case "sockfs":
		return fmt.Sprintf("socket:[%d]", f.inode.uint("i_ino")), false
	case "pipefs":
		return fmt.Sprintf("pipe:[%d]", f.inode.uint("i_ino")), false
	case "nsfs":
		return fmt.Sprintf("nsfs:[%d]", f.inode.uint("i_ino")), false
	case "anon_inodefs":
		return "anon_inode:" + name, false
	}
	return "/" + name, true // simple_dname(): what shmem makes, memfd among it
}

// replaced tells whether another file lies at the place of a deleted one, as far as the kernel remembers: a program that was renewed while it ran.
func (k *Kernel) replaced(f file) bool {
	if !f.deleted {
		return false
	}
	name, parent, found := string(k.entry(f.dentry)), f.dentry.to("d_parent"), false
	look := func(entry object) {
		found = found || entry.addr != f.dentry.addr && entry.uint("d_hash.pprev") != 0 && entry.uint("d_inode") != 0 && string(k.entry(entry)) == name
	}
	if parent.has("d_subdirs") { // until 6.7
		head, n := parent.at("d_subdirs"), 0
		k.list(head, func(e uint64) {
			if n++; n < maxSiblings && !found {
				look(object{k, "list_head", e}.container("dentry", "d_child"))
			}
		})
		return found
	}
	for n, e := 0, parent.uint("d_children.first"); e >= highHalf && n < maxSiblings && !found; n++ {
		node := object{k, "hlist_node", e}
		look(node.container("dentry", "d_sib"))
		e = node.uint("next")
	}
	return found
}

// seconds reads a time of an inode, whose form changed with versions.
func (o object) seconds(name string) int64 {
	p := o.first("i_"+name+"_sec", "__i_"+name+".tv_sec", "i_"+name+".tv_sec")
	return int64(o.uint(p))
}
