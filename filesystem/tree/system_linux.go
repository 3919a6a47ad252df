package tree

import (
	"io/fs"
	"syscall"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

// system adds what only the operating system's own stat(2) says.
func system(m *filesystem.Meta, st fs.FileInfo) {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	m.UID, m.GID, m.Links, m.Rdev = s.Uid, s.Gid, uint32(s.Nlink), uint64(s.Rdev)
	m.Atime = evidence.Unix(int64(s.Atim.Sec), int64(s.Atim.Nsec), time.Nanosecond)
	m.Ctime = evidence.Unix(int64(s.Ctim.Sec), int64(s.Ctim.Nsec), time.Nanosecond)
}
