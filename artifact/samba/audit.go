package samba

import (
	"bytes"
	"strings"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// operations are those of vfs_full_audit that tell something, with the names of all releases.
var operations = []struct {
	name string
	kind event.Kind
	mode bool // "r" or "w" stands before the path: only "w" is told
}{
	{"pwrite", event.FileUploaded, false}, {"pwrite_send", event.FileUploaded, false}, {"write", event.FileUploaded, false}, {"recvfile", event.FileUploaded, false},
	{"open", event.FileUploaded, true}, {"openat", event.FileUploaded, true},
	{"create_file", event.FileUploaded, false}, {"rename", event.FileUploaded, false}, {"renameat", event.FileUploaded, false},
	{"pread", event.FileDownloaded, false}, {"pread_send", event.FileDownloaded, false}, {"read", event.FileDownloaded, false}, {"sendfile", event.FileDownloaded, false},
	{"mkdir", event.DirectoryMade, false}, {"mkdirat", event.DirectoryMade, false},
	{"unlink", event.FileRemoved, false}, {"unlinkat", event.FileRemoved, false}, {"rmdir", event.FileRemoved, false},
	{"connect", event.SessionOpened, false}, {"disconnect", event.SessionClosed, false},
}

const maxParts = 16 // parts of a line before its operation that are looked at

// audited reads "PREFIX|OPERATION|ok|ARGUMENTS". The prefix is configured, "%u|%I" (user, address) if nobody did,
// and often has the client's and the share's name too. Paths are what clients chose and may hold '|', so the first
// operation is the true one.
func (t *teller) audited(b []byte) bool {
	rest := b
	for range maxParts {
		word, after, ok := said.Cut(rest, "|")
		if !ok {
			break
		}
		result, arguments, _ := said.Cut(after, "|")
		worked := string(result) == "ok"
		if worked || bytes.HasPrefix(result, []byte("fail")) {
			for _, o := range operations {
				if string(word) == o.name {
					if worked {
						t.operation(b, b[:len(b)-len(rest)], word, arguments, o.kind, o.mode)
					}
					return true
				}
			}
			if other(word) {
				return true
			}
		}
		rest = after
	}
	return false
}

// others are the operations that tell nothing here. They are known by name, since a client may call itself "ok", and
// what stands before that would look like an operation.
const others = " statvfs fs_capabilities disk_free get_quota set_quota get_shadow_copy_data opendir fdopendir readdir seekdir telldir rewinddir closedir mknod mknodat " +
	"open_fd close lseek fsync fsync_recv fsync_send stat fstat lstat fstatat get_alloc_size chmod fchmod chown fchown lchown chdir getwd ntimes fntimes utime ftruncate " +
	"fallocate lock kernel_flock filesystem_sharemode linux_setlease getlock fcntl symlink symlinkat readlink readlinkat link linkat realpath chflags fchflags file_id_create " +
	"fs_file_id streaminfo fstreaminfo get_real_filename get_real_filename_at connectpath parent_pathname brl_lock_windows brl_unlock_windows strict_lock_check " +
	"translate_name fsctl fget_compression set_compression get_compression snap_check_path snap_create snap_delete get_dos_attributes fget_dos_attributes " +
	"set_dos_attributes fset_dos_attributes get_nt_acl get_nt_acl_at fget_nt_acl fset_nt_acl audit_file sys_acl_get_fd sys_acl_get_file sys_acl_set_fd sys_acl_set_file " +
	"sys_acl_delete_def_file sys_acl_delete_def_fd sys_acl_blob_get_file sys_acl_blob_get_fd getxattr fgetxattr listxattr flistxattr removexattr fremovexattr setxattr " +
	"fsetxattr getxattrat_send getxattrat_recv aio_force is_offline set_offline durable_cookie durable_disconnect durable_reconnect readdir_attr freaddir_attr " +
	"pread_recv pwrite_recv offload_read_send offload_read_recv offload_write_send offload_write_recv create_dfs_pathat read_dfs_pathat get_dfs_referrals "

func other(word []byte) bool {
	for rest := others[1:]; len(word) > 0 && rest != ""; {
		name, after, _ := strings.Cut(rest, " ")
		if name == string(word) {
			return true
		}
		rest = after
	}
	return false
}

// temporary begins the name under which smbd makes a directory before it renames it.
const temporary = ".::TMPNAME:"

func (t *teller) operation(line, prefix, name, path []byte, k event.Kind, mode bool) {
	if mode {
		how, after, ok := said.Cut(path, "|")
		if !ok || string(how) != "w" {
			return
		}
		path = after
	}
	var old []byte
	switch string(name) {
	case "create_file": // ACCESS|file|DISPOSITION|PATH
		var ok bool
		if path, ok = created(path); !ok {
			return
		}
	case "rename", "renameat": // OLD|NEW
		from, to, ok := said.Cut(path, "|")
		if !ok || bytes.IndexByte(to, '|') >= 0 {
			t.doubt(line)
			return
		}
		if old, path = from, to; bytes.Contains(old, []byte(temporary)) {
			k, old = event.DirectoryMade, nil
		}
	case "mkdirat":
		if bytes.Contains(path, []byte(temporary)) {
			return
		}
	}
	if len(path) == 0 && k != event.SessionOpened && k != event.SessionClosed {
		return
	}
	e := t.m.Event(k)
	e.Add(event.ServiceName, smbd)
	user, address := subject(prefix)
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, address)
	if k == event.SessionOpened || k == event.SessionClosed {
		e.Add(event.Message, path)
	} else {
		e.Add(event.FilePath, path)
	}
	if old != nil {
		e.AddText(event.Change, "renamed from "+string(old))
	}
	t.yield(e)
}

// created gives the path of a create_file that made a file or emptied it: opening one says create_file as well.
func created(b []byte) (path []byte, ok bool) {
	_, b, _ = said.Cut(b, "|")
	kind, b, _ := said.Cut(b, "|")
	how, path, _ := said.Cut(b, "|")
	switch string(how) {
	case "create", "supersede", "overwrite", "overwrite_if":
		return path, string(kind) == "file"
	}
	return nil, false
}

// subject finds user and address in a prefix: "alice|203.0.113.5|", "203.0.113.5|alice|share|", "IP=203.0.113.5 | USER=alice | ".
// A user without a key is taken only where it stands first, or behind an address that does.
func subject(prefix []byte) (user, address []byte) {
	for i := range maxParts {
		word, rest, ok := said.Cut(prefix, "|")
		if !ok {
			break
		}
		prefix = rest
		word = bytes.TrimSpace(word)
		key, value, keyed := said.Cut(word, "=")
		if !keyed {
			value = word
		}
		switch a := said.Address(value); {
		case a != nil:
			if address == nil {
				address = a
			}
		case keyed:
			if user == nil && bytes.EqualFold(key, []byte("user")) {
				user = value
			}
		case user == nil && (i == 0 || i == 1 && address != nil) && bytes.IndexAny(value, " /:") < 0:
			user = value
		}
	}
	return user, address
}
