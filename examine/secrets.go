package examine

import (
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"telltale/event"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/access"
	"telltale/internal/secrets"
)

// Bounds of what is told of a host's secrets.
const (
	maxSecrets     = 2000
	maxSecretLooks = 20_000 // files that are looked into, because their names may be a secret's
	maxOfKind      = 200
	maxNames       = 8 // of databases and mailboxes
)

// secretSeer tells which files of a host hold secrets, and who may read them.
type secretSeer struct {
	table    *secrets.Table
	accounts []access.Account
	above    []host.Entry   // the folders on the way to where the walk is
	told     map[string]int // by kind
	n, looks int
	head     [secrets.Head]byte
}

// secret tells of one file or folder that the walk meets. Folders come before what they hold.
func (r *run) secret(h *seenHost, e *host.Entry) {
	if len(r.wants[event.SecretSeen]) == 0 {
		return
	}
	if e.Path == "/" || h.seer == nil { // the walk begins
		h.seer = newSecretSeer(h)
	}
	s := h.seer
	s.climb(e.Path)
	var k *secrets.Kind
	more := ""
	switch e.Meta.Type {
	case filesystem.Directory:
		if k = s.table.Folder(e.Path); k != nil {
			more = s.holds(e)
		}
		defer func() { s.above = append(s.above, *e) }()
		if k != nil && more == "" { // an empty one
			return
		}
	case filesystem.Regular:
		k, more = s.look(h, e)
	}
	if k == nil || s.n >= maxSecrets || s.told[k.ID] >= maxOfKind {
		return
	}
	s.n++
	s.told[k.ID]++
	ev := r.fileEvent(h, e, h.owners.Of(e.Path))
	ev.Kind = event.SecretSeen
	ev.AddText(event.RecordType, k.ID)
	ev.AddText(event.Message, more)
	if !h.CopyTimes { // modes and owners of a copy are not the server's
		for _, n := range s.readers(e, k.Folder) {
			ev.AddText(event.FileReaders, n)
		}
	}
	r.emit(&ev)
}

// readers gives the accounts that may read a file below the folders where the walk is, none where that is not known.
func (s *secretSeer) readers(e *host.Entry, folder bool) []string {
	var above []access.Node
	for i := range s.above {
		above = append(above, node(&s.above[i]))
	}
	names, _ := access.Readers(above, node(e), folder, s.accounts)
	return names
}

func newSecretSeer(h *seenHost) *secretSeer {
	s := &secretSeer{table: secrets.New(), told: map[string]int{}}
	for _, u := range h.Users {
		s.accounts = append(s.accounts, access.Account{Name: u.Name, UID: u.UID, GID: u.GID})
	}
	if b, err := h.ReadFile("/etc/group"); err == nil {
		access.Groups(s.accounts, b)
	} else if len(h.Users) > 0 {
		s.accounts = s.accounts[:0] // without the groups nobody's rights are known
	}
	return s
}

// climb leaves the folders that do not lie above a path.
func (s *secretSeer) climb(p string) {
	if p == "/" {
		s.above = s.above[:0]
	}
	for n := len(s.above); n > 0; n-- {
		if up := s.above[n-1].Path; up == "/" || strings.HasPrefix(p, up+"/") {
			break
		}
		s.above = s.above[:n-1]
	}
}

// node gives who may use a file. A folder that an archive only implies has no times.
func node(e *host.Entry) access.Node {
	m := &e.Meta
	n := access.Node{Mode: m.Mode & 0o777, UID: m.UID, GID: m.GID, Unknown: e.Path != "/" && !m.Mtime.Known() && !m.Ctime.Known()}
	if x, ok := e.Mount.FS.(filesystem.Xattrer); ok {
		if attrs, err := x.Xattrs(m.Inode); err == nil {
			n.ACL = attrs[access.ACL]
		} else if !errors.Is(err, filesystem.ErrNotSupported) {
			n.Unknown = true
		}
	}
	return n
}

// look finds out whether a file holds a secret, by its name and, where that is not enough, by its first bytes.
func (s *secretSeer) look(h *seenHost, e *host.Entry) (*secrets.Kind, string) {
	kinds := slices.DeleteFunc(s.table.Of(e.Path), func(k *secrets.Kind) bool { return s.told[k.ID] >= maxOfKind })
	if len(kinds) == 0 || e.Meta.Size == 0 {
		return nil, ""
	}
	var head []byte
	if e.Meta.Flags&(filesystem.Untaken|filesystem.Encrypted) == 0 && slices.ContainsFunc(kinds, (*secrets.Kind).Reads) {
		if s.looks++; s.looks > maxSecretLooks {
			return nil, ""
		}
		n, err := h.File(e).ReadAt(s.head[:min(int64(len(s.head)), max(e.Meta.Size, 0))], 0)
		if n > 0 && (err == nil || errors.Is(err, io.EOF)) {
			head = s.head[:n]
		}
	}
	for _, k := range kinds {
		if more, is := k.Look(head); is && (head != nil || k.Certain(path.Base(e.Path))) {
			return k, more
		}
	}
	return nil, ""
}

// holds names what lies in a folder of data, "" where it is empty: of databases and mailboxes the names matter.
func (s *secretSeer) holds(e *host.Entry) string {
	var names []string
	more := 0
	for d, err := range e.Mount.FS.ReadDir(e.Meta.Inode) {
		if err != nil {
			continue
		}
		name := string(d.Name)
		if ownFiles[name] || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "ib") || strings.HasPrefix(name, "#") || strings.Contains(name, "-bin.") {
			continue
		}
		if len(names) < maxNames && len(name) <= 64 {
			names = append(names, name)
		} else {
			more++
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	s0 := strings.Join(names, ", ")
	if more > 0 {
		s0 += " and more"
	}
	return s0
}

// ownFiles are what databases keep for themselves beside the data.
var ownFiles = map[string]bool{"mysql": true, "performance_schema": true, "information_schema": true, "sys": true, "debian-10.3.flag": true, "aria_log_control": true, "auto.cnf": true, "mysql.sock": true, "mysql_upgrade_info": true, "undo_001": true, "undo_002": true, "mysql.ibd": true, "ddl_recovery.log": true, "multi-master.info": true}
