package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/live"
	"telltale/internal/manifest"
	"telltale/internal/state"
)

// The kinds of input that hold the state of a running machine.
const (
	KindLive       = "live"
	KindCollection = "collection"
)

// ownKind is the kind of the state in a collection of our own, as artefacts name it.
const ownKind = "telltale"

// State is the state of a machine when it was running, as somebody wrote it down.
type State struct {
	Kind   string // whose form it has: "telltale", "uac" ...; artefacts name it in their State
	Mount  Mount  // its files; paths are relative to Mount.Base
	Taken  evidence.Time
	Booted evidence.Time
	Kernel string
	Asked  string   // how somebody else's collector asked what ran; "" where telltale asked
	Still  bool     // it tells nothing of what ran
	Dump   bool     // it was read from a dump of its memory
	Notes  []string // what it does not hold, for its maker did not ask or was not let
}

// Live opens the running machine: its tree, and the state that was just taken from it (by its files' names in a collection).
func Live(f *live.FS, files map[string][]byte, o Options) (*Input, error) {
	h, err := header(files[manifest.HeaderName])
	if err != nil {
		return nil, err
	}
	mem, err := newMemory(files, h.Taken)
	if err != nil {
		return nil, err
	}
	h.Mount = Mount{At: "/", FS: mem, Prefix: "state:"}
	in := &Input{Kind: KindLive, close: []func() error{f.Close}}
	x := &Host{Kind: KindLive, State: h.State, View: View{Source: o.Source, Mounts: []Mount{{At: "/", FS: f, Prefix: "live:"}}}}
	x.finish(o)
	if x.Name == "" {
		x.Name = h.host
	}
	in.Hosts = []*Host{x}
	in.Notes = append(append(in.Notes, h.Notes...), x.findContainers(o)...)
	return in, nil
}

type taken struct {
	*State
	host string
}

// header reads what a collection says of itself.
func header(b []byte) (taken, error) {
	var x state.Header
	if err := json.Unmarshal(b, &x); err != nil {
		return taken{}, fmt.Errorf("read %s: %w", manifest.HeaderName, err)
	}
	if x.Format != state.Format {
		return taken{}, fmt.Errorf("a collection of the form %q: %w", x.Format, filesystem.ErrNotSupported)
	}
	s := &State{Kind: ownKind, Kernel: x.Kernel, Taken: stamp(x.Started), Booted: stamp(x.Booted)}
	if !x.Root {
		s.Notes = append(s.Notes, "it was taken without the rights of root: of other users' processes only names were seen, and of their files what everybody may read")
	}
	if x.Container != "" {
		s.Notes = append(s.Notes, "it was taken within a container ("+x.Container+"): what runs outside was not seen")
	}
	for _, m := range x.Missing {
		s.Notes = append(s.Notes, "not asked: "+m)
	}
	return taken{s, x.Host}, nil
}

func stamp(s string) evidence.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return evidence.Time{}
	}
	return evidence.At(t, time.Second)
}

// formatName begins the names of all versions of the form.
const formatName = "telltale-collection/"

// maxHeader bounds a collection's header, bytes.
const maxHeader = 1 << 20

// collection tells a collection of our own by its header, and opens it.
func (in *Input) collection(f filesystem.FS, prefix string, o Options) (bool, error) {
	b, err := readAll(f, manifest.HeaderName)
	if errors.Is(err, filesystem.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if isRoot(f, f.Root()) { // a server's own tree: an intruder can put a file of any name there, and send us elsewhere
		in.Notes = append(in.Notes, "a file "+manifest.HeaderName+" lies at the top of this server's tree; collections have none there, and it was not believed")
		return false, nil
	}
	var form struct{ Format string }
	if err := json.Unmarshal(b, &form); err != nil || !strings.HasPrefix(form.Format, formatName) {
		return false, nil // somebody else's file of that name
	}
	t, err := header(b)
	if err != nil {
		return false, err
	}
	t.Mount = Mount{At: "/", FS: f, Prefix: prefix}
	in.Kind = KindCollection
	h := &Host{Kind: KindCollection, State: t.State, View: View{Source: o.Source, Mounts: []Mount{{At: "/", FS: f, Prefix: prefix, Base: "/" + manifest.RootDir}}}}
	if _, err := find(f, f.Root(), manifest.RootDir); err != nil { // it ended before the files, or none were asked for
		none, err := newMemory(nil, evidence.Time{})
		if err != nil {
			return false, err
		}
		h.Mounts[0] = Mount{At: "/", FS: none, Prefix: prefix}
		in.Notes = append(in.Notes, "it holds no files of the machine")
	}
	h.finish(o)
	if h.Name == "" {
		h.Name = t.host
	}
	in.Hosts = []*Host{h}
	in.Notes = append(append(in.Notes, t.Notes...), h.findContainers(o)...)
	return true, nil
}

// unpacked opens a collection that is not in its archive any more. Owners, times and what is no regular file come through unpacking as the unpacker
// was let, so that holding it against its manifests would accuse him.
func (in *Input) unpacked(f filesystem.FS, prefix string, o Options) (bool, error) {
	found, err := in.collection(f, prefix, o)
	if found && err == nil {
		in.Notes = append(in.Notes, "it was unpacked: its seals can be held only against the archive that was written (telltale verify)")
	}
	return found, err
}

// readAll reads a small file at the top of a tree.
func readAll(f filesystem.FS, name string) ([]byte, error) {
	i, err := find(f, f.Root(), name)
	if err != nil {
		return nil, err
	}
	m, err := stat(f, i)
	if err != nil || m.Type != filesystem.Regular || m.Size > maxHeader {
		return nil, filesystem.ErrNotExist
	}
	b := make([]byte, m.Size)
	n, err := f.ReadAt(i, b, 0)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		return nil, err
	}
	return b[:n], nil
}
