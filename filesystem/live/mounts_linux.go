package live

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"telltale/filesystem"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// mount is what the machine says of a place at which something is mounted.
type mount struct {
	dev, root, kind string
	copyOf          string // where the same directory of the same filesystem is mounted, too
}

// maxMountinfo bounds what is read of mountinfo, bytes.
const maxMountinfo = 8 << 20

// mountsOf reads which mounts there are. A machine that does not tell is read all the same: then only the kinds of filesystems say where to stop.
func mountsOf(proc string) map[string]mount {
	h, err := os.Open(proc + "/self/mountinfo")
	if err != nil {
		return nil
	}
	defer h.Close()
	b := make([]byte, 0, 64<<10)
	for len(b) < maxMountinfo {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := h.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF || err != nil {
			break
		}
	}
	out, first := map[string]mount{}, map[[2]string]string{}
	procfs.Mountinfo(b, func(m *state.Mount) bool {
		key := [2]string{m.Dev, m.Root}
		x := mount{dev: m.Dev, root: m.Root, kind: m.Type}
		if was := first[key]; was == "" {
			first[key] = m.At
		} else if was != m.At {
			x.copyOf = was
		}
		out[m.At] = x // a later one lies over an earlier one
		return true
	})
	return out
}

// kinds are the filesystems whose files lie on this machine's own disks or in its memory, by the numbers that statfs(2) gives
// (include/uapi/linux/magic.h). All others are not entered.
var kinds = map[int64]string{
	0xef53: "ext", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x01021994: "tmpfs", 0x858458f6: "ramfs", 0x794c7630: "overlay", 0xf2f52010: "f2fs", 0x4d44: "vfat", 0x2011bab0: "exfat",
	0x52654973: "reiserfs", 0x3153464a: "jfs", 0x2fc12fc1: "zfs", 0xca451a4e: "bcachefs", 0x3434: "nilfs", 0x5346544e: "ntfs", 0x7366746e: "ntfs3", 0x24051905: "ubifs", 0x72b6: "jffs2",
}

// stranger tells why a directory at which something is mounted is not entered; "" if it is, or if nothing is mounted there.
func (f *FS) stranger(i filesystem.Inode, fd int) string {
	if i == root {
		return ""
	}
	m, told := f.mounts[f.path(i)]
	if !told {
		up, err := f.dir(filesystem.Inode(f.nodes[i].parent))
		var here, above unix.Stat_t
		if err != nil || unix.Fstat(fd, &here) != nil || unix.Fstat(up, &above) != nil || here.Dev == above.Dev {
			return ""
		}
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return "statfs: " + err.Error()
	}
	if kinds[int64(st.Type)&0xffffffff] == "" {
		if m.kind != "" {
			return m.kind
		}
		return fmt.Sprintf("filesystem %#x", uint32(st.Type))
	}
	if m.copyOf != "" {
		return "the same files as " + m.copyOf
	}
	return ""
}
