// Package velociraptor reads what queries of Velociraptor told of a running machine: results/*.json, an object a line. Which columns there are is said by the
// artefacts' definitions (Velocidex/velociraptor artifacts/definitions/Linux). Velociraptor asks the kernel itself, by /proc, and runs none of the machine's tools.
package velociraptor

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/state"
)

const spec = "Velocidex/velociraptor artifacts/definitions/Linux"

// All gives the artefacts.
func All() []*artifact.Artifact {
	return []*artifact.Artifact{
		member("velociraptor-pslist", "what ran: Linux.Sys.Pslist", []string{"Linux.Sys.Pslist", "Generic.System.Pstree"}, event.ProcessSeen, pslist),
		member("velociraptor-netstat", "connections: Linux.Network.Netstat", []string{"Linux.Network.Netstat%2F*", "Linux.Network.Netstat", "Linux.Network.NetstatEnriched", "Linux.Network.NetstatEnriched%2F*"}, event.SocketSeen, netstat),
		member("velociraptor-modules", "modules of the kernel: Linux.Proc.Modules", []string{"Linux.Proc.Modules"}, event.ModuleSeen, module),
		member("velociraptor-mounts", "what was mounted: Linux.Mounts", []string{"Linux.Mounts"}, event.MountSeen, mount),
	}
}

// member makes an artefact of files of results. fill gives false for a row that tells nothing.
func member[T any](name, doc string, files []string, kind event.Kind, fill func(*artifact.Input, *T, *event.Event) bool) *artifact.Artifact {
	a := &artifact.Artifact{Name: name, Doc: doc, Spec: spec, Kinds: []event.Kind{kind},
		Parse: artifact.Lines(func(in *artifact.Input, line []byte, e *event.Event, yield func(*event.Event)) {
			v := new(T)
			if err := json.Unmarshal(line, v); err != nil {
				in.Seen.Unknown([]byte(name))
				return
			}
			e.Kind = kind
			if fill(in, v, e) {
				yield(e)
			}
		})}
	for _, f := range files {
		a.State = append(a.State, "velociraptor:results/"+f+".json")
	}
	return a
}

// process is a row of Linux.Sys.Pslist. Some columns are numbers in one version and texts in another.
type process struct {
	Pid, Ppid              any
	Name, CommandLine, Exe string
	Username               string
	Hash                   struct{ SHA256 string }
	CreateTime             any
	CreatedTime            any
}

func pslist(in *artifact.Input, p *process, e *event.Event) bool {
	pid, ok := number(p.Pid)
	if !ok || pid == 0 {
		return false
	}
	e.AddInt(event.ProcessPID, pid)
	if n, ok := number(p.Ppid); ok {
		e.AddInt(event.ParentPID, n)
	}
	e.AddText(event.ProcessName, text(p.Name))
	e.AddText(event.CommandLine, text(p.CommandLine))
	e.AddText(event.UserName, text(p.Username))
	e.AddText(event.FileSHA256, strings.ToLower(text(p.Hash.SHA256)))
	if p.Exe != "" {
		listing.Executable(in, e, p.Exe)
	}
	if e.At = when(p.CreateTime); !e.At.Known() {
		e.At = when(p.CreatedTime)
	}
	if e.At.Known() {
		e.AddText(event.EventStart, e.At.String())
	}
	return true
}

// maxText bounds a text, bytes.
const maxText = 4 << 10

func text(s string) string { return state.Text([]byte(s), maxText) }

// number reads a number that may stand in quotes.
func number(v any) (int64, bool) {
	switch x := v.(type) {
	case float64:
		return int64(x), x >= 0 && x < 1<<53
	case string:
		n, err := strconv.ParseInt(x, 10, 64)
		return n, err == nil && n >= 0
	}
	return 0, false
}

func when(v any) evidence.Time {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1971 || t.Year() > 2200 {
		return evidence.Time{}
	}
	return evidence.At(t, time.Second)
}

// connection is a row of Linux.Network.Netstat or of NetstatEnriched, whose columns bear other names.
type connection struct {
	Type                  string
	Inode                 any `json:"inode"`
	State, Status         string
	UID                   any `json:"uid"`
	ProcessInfo           struct{ Pid any }
	Pid                   any
	LocalAddr, RemoteAddr string
	LocalPort, RemotePort any
	Laddr, Raddr          string
	Lport, Rport          any
}

func netstat(_ *artifact.Input, c *connection, e *event.Event) bool {
	s := state.Socket{Protocol: "tcp", Views: []string{"velociraptor"}}
	if strings.HasPrefix(strings.ToLower(c.Type), "udp") {
		s.Protocol = "udp"
	}
	s.State = listing.State(c.State + c.Status) // one of them is empty
	if c.LocalAddr == "" {
		c.LocalAddr, c.RemoteAddr, c.LocalPort, c.RemotePort = c.Laddr, c.Raddr, c.Lport, c.Rport
	}
	var ok bool
	if s.Local, ok = join(c.LocalAddr, c.LocalPort); !ok {
		return false
	}
	s.Remote, _ = join(c.RemoteAddr, c.RemotePort)
	if n, ok := number(c.Inode); ok {
		s.Inode = uint64(n)
	}
	if n, ok := number(c.UID); ok {
		s.UID = uint32(n)
	}
	for _, v := range []any{c.ProcessInfo.Pid, c.Pid} {
		if n, ok := number(v); ok && n > 0 && n < 1<<31 && len(s.PIDs) == 0 {
			s.PIDs = []int{int(n)}
		}
	}
	listing.Socket(&s, e)
	return true
}

func join(ip string, port any) (string, bool) {
	a, err := netip.ParseAddr(ip)
	n, ok := number(port)
	if err != nil || !ok || n > 65535 {
		return "", false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)).String(), true
}

type moduleRow struct{ Name string }

func module(_ *artifact.Input, m *moduleRow, e *event.Event) bool {
	e.AddText(event.ModuleName, text(m.Name))
	e.AddText(event.ViewShown, "proc-modules")
	return m.Name != ""
}

type mountRow struct{ Device, MountPoint, Mount, FSType, Type string }

func mount(_ *artifact.Input, m *mountRow, e *event.Event) bool {
	e.AddText(event.FilePath, text(m.MountPoint+m.Mount)) // one of them is empty
	e.AddText(event.RecordType, text(m.FSType+m.Type))
	e.AddText(event.Message, text(m.Device))
	return m.MountPoint+m.Mount != ""
}
