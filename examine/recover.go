package examine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"

	"telltale/casefile"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/holes"
)

// RecoverOptions are what Recover is asked for.
type RecoverOptions struct {
	Sources []casefile.Source // the evidence, by id and path
	Spool   string            // folder for unpacked evidence
	To      string            // folder that the files are written to, new or empty; "" to list only
	Match   string            // pattern of path.Match that a path, or its last part, must fit; "" for all
	All     bool              // write also what lies wholly in blocks that other files have
	Zone    *time.Location
	Secret  func(what string, try int) ([]byte, error)
	// Identities open evidence that is encrypted by age.
	Identities []age.Identity
	// Told is given what each filesystem remembers, before its files; File each file.
	Told func(casefile.Recovery)
	File func(RecoveredFile)
	// Fault is given what could not be read; what can be is still found.
	Fault func(string)
}

// RecoveredFile is one line of recovered.jsonl.
type RecoveredFile struct {
	Source     string `json:"source"`
	Filesystem string `json:"filesystem"`
	Path       string `json:"path"`      // escaped as in the report; "" where no name is known
	PathFrom   string `json:"path_from"` // what tells it
	Written    string `json:"written"`   // where it was written to, below the folder; "" if it was not
	State      string `json:"state"`     // "deleted", "open" (deleted while a program held it open), "cut" (the file lives on, this is what it held)
	Type       string `json:"type"`
	Inode      uint64 `json:"inode"`
	Size       int64  `json:"size"`
	Free       int64  `json:"free"`   // bytes in blocks that nobody has
	Reused     int64  `json:"reused"` // bytes in blocks that were given to others since: probably their content
	Mode       string `json:"mode"`
	UID        uint32 `json:"uid"`
	GID        uint32 `json:"gid"`
	Modified   string `json:"modified"`
	Changed    string `json:"changed"`
	Born       string `json:"born"`
	Deleted    string `json:"deleted"` // by the inode itself
	After      string `json:"after"`   // seen alive
	Before     string `json:"before"`  // seen gone
	From       string `json:"from"`    // what tells where its content lies
	SHA256     string `json:"sha256"`
	Error      string `json:"error"`
}

// maxRecoverBytes bounds what is written of one file: what is beyond is a crafted size, or a sparse file.
const maxRecoverBytes = 64 << 30

// Recover finds the deleted files of the evidence again and writes them out, with a list of them. It tells how far back each
// filesystem remembers before it gives any.
func Recover(ctx context.Context, o RecoverOptions) ([]casefile.Recovery, error) {
	r := recoverer{o: o, ctx: ctx}
	if o.To != "" {
		if err := os.MkdirAll(o.To, 0o700); err != nil {
			return nil, fmt.Errorf("make %q: %w", o.To, err)
		}
		root, err := os.OpenRoot(o.To)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		r.root = root
		f, err := root.OpenFile("recovered.jsonl", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, fmt.Errorf("make the list of files: %w", err)
		}
		defer f.Close()
		r.list = json.NewEncoder(f)
	}
	for _, s := range o.Sources {
		if err := r.source(s); err != nil {
			return r.done, err
		}
	}
	return r.done, ctx.Err()
}

type recoverer struct {
	o    RecoverOptions
	ctx  context.Context
	root *os.Root
	list *json.Encoder
	done []casefile.Recovery
	used map[string]int // names that were given, for those that come twice
}

func (r *recoverer) source(s casefile.Source) error {
	in, err := host.Open(r.ctx, s.Path, host.Options{Source: s.ID, Spool: r.o.Spool, Zone: r.o.Zone, Secret: r.o.Secret, Identities: r.o.Identities})
	if err != nil {
		return fmt.Errorf("source %s: %w", s.ID, err)
	}
	defer in.Close()
	for _, h := range in.Hosts {
		for i := range h.Mounts {
			if h.MountedBefore(i) {
				continue
			}
			if err := r.mount(s.ID, &h.Mounts[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *recoverer) mount(source string, m *host.Mount) error {
	u, ok := m.FS.(filesystem.Undeleter)
	if !ok {
		return nil
	}
	history, files := u.Deleted(r.ctx)
	c := recoveryOf(source, m.Prefix, history)
	if r.o.Told != nil {
		r.o.Told(c)
	}
	if c.Unread != "" {
		r.fault(m.Prefix, c.Unread)
	}
	for f, err := range files {
		if err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			r.fault(m.Prefix, err.Error())
			c.Notes = append(c.Notes, printable(err.Error()))
			continue
		}
		if !r.wanted(f.Path) {
			continue
		}
		count(&c, &f)
		line := lineOf(source, m.Prefix, &f)
		if err := r.write(&line, &f, m.Prefix); err != nil {
			return err
		}
		if r.list != nil {
			if err := r.list.Encode(line); err != nil {
				return fmt.Errorf("write the list of files: %w", err)
			}
		}
		if r.o.File != nil {
			r.o.File(line)
		}
	}
	r.done = append(r.done, c)
	return r.ctx.Err()
}

func (r *recoverer) fault(where, why string) {
	if r.o.Fault != nil {
		r.o.Fault(printable(where) + " " + printable(why))
	}
}

func recoveryOf(source, prefix string, h filesystem.History) casefile.Recovery {
	return casefile.Recovery{Source: source, Filesystem: printable(prefix), Memory: h.Source, From: h.From.String(), To: h.To.String(), Notes: printables(h.Notes), Unread: printable(h.Unread)}
}

func count(c *casefile.Recovery, f *filesystem.Recovered) {
	c.Found++
	if f.Path != "" {
		c.Named++
	}
	if f.Whole() {
		c.Whole++
	}
	if f.Meta.State == filesystem.Orphan {
		c.Open++
	}
}

func (r *recoverer) wanted(p string) bool {
	if r.o.Match == "" {
		return true
	}
	whole, _ := path.Match(r.o.Match, p)
	base, _ := path.Match(r.o.Match, path.Base(p))
	return whole || base
}

func lineOf(source, prefix string, f *filesystem.Recovered) RecoveredFile {
	m := &f.Meta
	state := "deleted"
	switch {
	case m.State == filesystem.Orphan:
		state = "open"
	case f.Cut:
		state = "cut"
	}
	at := func(t evidence.Time) string { return t.String() }
	return RecoveredFile{Source: source, Filesystem: printable(prefix), Path: printable(f.Path), PathFrom: f.PathFrom, State: state, Type: m.Type.String(), Inode: uint64(m.Inode), Size: m.Size,
		Free: f.Free, Reused: f.Reused, Mode: fmt.Sprintf("%04o", m.Mode), UID: m.UID, GID: m.GID, Modified: at(m.Mtime), Changed: at(m.Ctime), Born: at(m.Crtime),
		Deleted: at(m.Dtime), After: at(f.After), Before: at(f.Before), From: f.From}
}

// write writes one file and its hash. What could not be read is told in the line; that a disk is full ends all.
func (r *recoverer) write(line *RecoveredFile, f *filesystem.Recovered, prefix string) error {
	if f.Meta.Type != filesystem.Regular || f.Content == nil {
		return nil
	}
	if f.Free == 0 && f.Reused > 0 && !r.o.All {
		line.Error = "all of its blocks were given to other files"
		return nil
	}
	if f.Meta.Size > maxRecoverBytes {
		line.Error = fmt.Sprintf("%d bytes are more than are written of one file", f.Meta.Size)
		return nil
	}
	var out io.Writer = io.Discard
	var w *holes.Writer
	if r.root != nil {
		file, name, err := r.create(prefix, f)
		if err != nil {
			return err
		}
		defer file.Close()
		w = holes.NewWriter(file)
		out, line.Written = w, name
	}
	sum := sha256.New()
	n, err := copyContext(r.ctx, io.MultiWriter(sum, out), io.NewSectionReader(f.Content, 0, f.Meta.Size))
	if w != nil {
		if err := w.Finish(); err != nil {
			return fmt.Errorf("write %q: %w", line.Written, err)
		}
		if m := f.Meta.Mtime; m.Known() {
			r.root.Chtimes(line.Written, m.Std(), m.Std())
		}
	}
	if err != nil {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		line.Error = printable(fmt.Sprintf("read to byte %d: %v", n, err))
		r.fault(prefix+line.Path, line.Error)
		return nil
	}
	line.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// create makes the file that one is written to. Where a folder has its name, or a file the name of one of its folders - both
// were there, one after the other - it goes beside them.
func (r *recoverer) create(prefix string, f *filesystem.Recovered) (*os.File, string, error) {
	name := r.place(prefix, f)
	for try := 0; ; try++ {
		err := r.root.MkdirAll(path.Dir(name), 0o700)
		if err == nil {
			var file *os.File
			if file, err = r.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				return file, name, nil
			}
		}
		if try > 0 || !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, "", fmt.Errorf("write %q: %w", name, err)
		}
		name = r.unused(path.Join(safeName(strings.Trim(prefix, ":!")), "%by inode", fmt.Sprint(f.Meta.Inode), path.Base(name)))
	}
}

func copyContext(ctx context.Context, w io.Writer, r io.Reader) (n int64, err error) {
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		k, err := r.Read(buf)
		if k > 0 {
			if _, err := w.Write(buf[:k]); err != nil {
				return n, err
			}
			n += int64(k)
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// place gives a name below the folder for a file: its path, with what could lead elsewhere or harm a terminal escaped.
func (r *recoverer) place(prefix string, f *filesystem.Recovered) string {
	p := f.Path
	if p == "" {
		p = fmt.Sprintf("no name/inode %d", f.Meta.Inode)
	}
	parts := []string{safeName(strings.Trim(prefix, ":!"))}
	for _, s := range strings.Split(p, "/") {
		if s != "" {
			parts = append(parts, safeName(s))
		}
	}
	if n := len(parts); n > maxPlaceParts {
		parts = append(parts[:1], parts[n-maxPlaceParts+1:]...)
	}
	return r.unused(strings.Join(parts, "/"))
}

// unused gives a name that was not given yet.
func (r *recoverer) unused(name string) string {
	if r.used == nil {
		r.used = map[string]int{}
	}
	for {
		r.used[name]++
		k := r.used[name]
		if k == 1 {
			return name
		}
		name = fmt.Sprintf("%s.%d", name, k)
	}
}

// Bounds of names that are written.
const (
	maxPlaceParts = 60
	maxNamePart   = 180 // bytes
)

// safeName escapes a part of a path: nothing in it can lead elsewhere, hide, or move a cursor.
func safeName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || strings.IndexByte(`%\:*?"<>|`, c) >= 0 || i == 0 && (c == '.' && strings.Trim(s, ".") == "" || c == ' ') {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	out := b.String()
	if len(out) > maxNamePart {
		sum := sha256.Sum256([]byte(s))
		out = out[:maxNamePart-17] + "~" + hex.EncodeToString(sum[:8])
	}
	return out
}
