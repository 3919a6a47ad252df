package host

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"telltale/filesystem"
	"telltale/internal/lines"
)

// The lists of metadata that collectors write beside the files. Their lines are as the machine's own stat and find wrote them: names are not escaped,
// so that a line is read from both ends, and one that fits no form is passed over.

// maxRows bounds a list's lines that are read.
const maxRows = 50_000_000

// eachRow gives the lines of a list.
func eachRow(ctx context.Context, r io.Reader, give func(line []byte) error) error {
	lr := lines.NewReader(r)
	for l, ok := lr.Next(); ok && l.Num < maxRows; l, ok = lr.Next() {
		if l.Num%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if l.Cut {
			continue
		}
		if err := give(l.Text); err != nil {
			return err
		}
	}
	return lr.Err()
}

// body reads a line of a bodyfile of the Sleuth Kit 3.x: MD5|name|inode|mode|uid|gid|size|atime|mtime|ctime|crtime, times in seconds, some
// makers leave crtime out. The name may hold a '|', and " -> " with a link's target.
func body(line []byte) (name, target string, l listed, ok bool) {
	first := bytes.IndexByte(line, '|')
	if first < 0 {
		return
	}
	rest := string(line[first+1:])
	for _, behind := range []int{9, 8} { // fields behind the name
		f := lastFields(rest, '|', behind)
		if f == nil {
			continue
		}
		if l.kind, l.mode, ok = modeOf(f[2]); !ok {
			continue
		}
		name = f[0]
		uid, err1 := strconv.ParseUint(f[3], 10, 32)
		gid, err2 := strconv.ParseUint(f[4], 10, 32)
		l.uid, l.gid, l.owned = uint32(uid), uint32(gid), err1 == nil && err2 == nil
		l.size, _ = strconv.ParseInt(f[5], 10, 64)
		for i, t := range []*int64{&l.atime, &l.mtime, &l.ctime, &l.crtime} {
			if 6+i < len(f) {
				*t = seconds(f[6+i])
			}
		}
		break
	}
	if ok && l.kind == filesystem.Symlink {
		name, target, _ = strings.Cut(name, " -> ")
	}
	return name, target, l, ok && strings.HasPrefix(name, "/")
}

// lastFields takes n fields off a text's end: what is before them comes first. It gives nil where there are fewer.
func lastFields(s string, sep byte, n int) []string {
	out := make([]string, n+1)
	for i := n; i > 0; i-- {
		k := strings.LastIndexByte(s, sep)
		if k < 0 {
			return nil
		}
		out[i], s = s[k+1:], s[:k]
	}
	out[0] = s
	return out
}

// seconds gives nanoseconds; 0 for what is no time, or none that nanoseconds can tell.
func seconds(s string) int64 {
	s, _, _ = strings.Cut(s, ".")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 1<<33 {
		return 0
	}
	return n * int64(time.Second)
}

// modeOf reads "-rwsr-xr-x" as ls(1) and stat(1) write it.
func modeOf(s string) (kind filesystem.Type, mode uint16, ok bool) {
	if len(s) < 10 {
		return 0, 0, false
	}
	kinds := map[byte]filesystem.Type{'-': filesystem.Regular, 'r': filesystem.Regular, 'd': filesystem.Directory, 'l': filesystem.Symlink, 'c': filesystem.CharDevice, 'b': filesystem.BlockDevice, 'p': filesystem.FIFO, 's': filesystem.Socket}
	if kind, ok = kinds[s[0]]; !ok {
		return 0, 0, false
	}
	special := [3]uint16{filesystem.SetUID, filesystem.SetGID, filesystem.Sticky}
	for i := range 9 {
		bit := uint16(1) << (8 - i)
		switch c := s[i+1]; {
		case c == '-':
		case c == "rwx"[i%3]:
			mode |= bit
		case i%3 == 2 && (c == 's' || c == 't'):
			mode |= bit | special[i/3]
		case i%3 == 2 && (c == 'S' || c == 'T'):
			mode |= special[i/3]
		default:
			return 0, 0, false
		}
	}
	return kind, mode, true
}

// timelineRow reads a line of CatScale's full-timeline.csv: Inode, hard links, path, times of access, modification, change and birth as stat(1) writes them,
// user, group, mode, size. Nothing is quoted: the path may hold commas.
func timelineRow(line []byte, uids, gids map[string]uint32) (name string, l listed, ok bool) {
	f := lastFields(string(line), ',', 8)
	if f == nil {
		return
	}
	head := strings.SplitN(f[0], ",", 3)
	if len(head) != 3 || !strings.HasPrefix(head[2], "/") {
		return
	}
	if l.kind, l.mode, ok = modeOf(f[7]); !ok {
		return
	}
	var known1, known2 bool
	l.uid, known1 = uids[f[5]]
	l.gid, known2 = gids[f[6]]
	l.owned = known1 && known2
	l.size, _ = strconv.ParseInt(f[8], 10, 64)
	for i, t := range []*int64{&l.atime, &l.mtime, &l.ctime, &l.crtime} {
		*t = statTime(f[1+i])
	}
	return head[2], l, true
}

// statTime reads "2026-11-23 08:45:43.123456789 +0000"; "-" where the filesystem does not tell.
func statTime(s string) int64 {
	t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", s)
	if err != nil || t.Unix() <= 0 || t.Year() > 2200 {
		return 0
	}
	return t.UnixNano()
}

// fileRow is a row of Velociraptor's Generic.Collectors.File/All Matches Metadata and of the finders of files that have its columns.
type fileRow struct {
	SourceFile, OSPath, FullPath string
	Created                      any
	Changed                      any
	LastAccessed                 any
	Modified                     any
	Mtime, Atime, Ctime, Btime   any
}

// metadataRow reads one.
func metadataRow(line []byte) (name string, l listed, ok bool) {
	var r fileRow
	if json.Unmarshal(line, &r) != nil {
		return "", l, false
	}
	for _, n := range []string{r.SourceFile, r.OSPath, r.FullPath} {
		if name == "" && strings.HasPrefix(n, "/") {
			name = n
		}
	}
	l.kind = filesystem.Regular
	for _, t := range []struct {
		to   *int64
		a, b any
	}{{&l.atime, r.LastAccessed, r.Atime}, {&l.mtime, r.Modified, r.Mtime}, {&l.ctime, r.Changed, r.Ctime}, {&l.crtime, r.Created, r.Btime}} {
		if *t.to = jsonTime(t.a); *t.to == 0 {
			*t.to = jsonTime(t.b)
		}
	}
	return name, l, name != "" && l.mtime|l.ctime|l.crtime != 0
}

// jsonTime reads a time as Velociraptor writes it: RFC 3339, or a number since 1970.
func jsonTime(v any) int64 {
	switch x := v.(type) {
	case string:
		t, err := time.Parse(time.RFC3339Nano, x)
		if err == nil && t.Unix() > 0 && t.Year() < 2200 {
			return t.UnixNano()
		}
	case float64:
		for x > 1e11 { // milliseconds, microseconds or nanoseconds
			x /= 1000
		}
		if x >= 1 && x < 1<<33 {
			return int64(x) * int64(time.Second)
		}
	}
	return 0
}

// percentDecode undoes Velociraptor's and URL's way of writing bytes in a name. A name that would be a way out of its directory, or two names, stays as it stands.
func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(n))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	switch d := string(out); {
	case d == "" || d == "." || d == ".." || strings.ContainsAny(d, "/\x00"):
		return s
	default:
		return d
	}
}
