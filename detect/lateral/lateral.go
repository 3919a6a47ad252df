// Package lateral tells which other machines were reached from this one, and which of them ssh knows. It accuses nobody: an administrator's own ssh looks the
// same, and whose a contact was is for package story. Sources are command lines of histories, sudo and the audit, packets that the firewall saw go out, and
// connections that were open when the state was taken.
package lateral

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "lateral", Title: "Other machines that were reached", IDs: []string{"D34"},
		Doc:    "takes from commands, packets and connections which machines were reached from here, and from known_hosts which are known",
		Attack: []string{"T1021.004", "T1570", "T1048", "T1105"},
		Wants:  []event.Kind{event.ShellCommand, event.SudoCommand, event.ProcessStarted, event.FirewallPacket, event.SocketSeen, event.KnownHost, event.File},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, by: map[string]*detect.Finding{}, flows: map[flow]*detect.Finding{}, wide: map[flow]int{}, known: map[string]*detect.Finding{}, written: detect.Histories{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxContacts = 10_000
	maxFlows    = 20_000
	maxKnown    = 5_000
	maxQuotes   = 4
	wide        = 30 // machines on one port by one account: a scan, which package packets tells
)

type fold struct {
	scene   detect.Scene
	by      map[string]*detect.Finding
	order   []*detect.Finding
	flows   map[flow]*detect.Finding
	wide    map[flow]int
	known   map[string]*detect.Finding
	written detect.Histories
	sockets []detect.Finding
	listens map[string]bool // ports of this machine
}

// flow is who sends to which port, and of which machine; "" stands for all.
type flow struct{ uid, port, to string }

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.File:
		f.written.Note(e)
	case event.FirewallPacket:
		f.packet(e)
	case event.SocketSeen:
		f.socket(e)
	case event.KnownHost:
		f.host(e)
	default:
		f.command(e)
	}
}

// words are parts of the names of programs that reach for others, and of bash's sockets: the quick look before a line is taken apart.
var words = [][]byte{[]byte("ssh"), []byte("scp"), []byte("sftp"), []byte("rsync"), []byte("mosh"), []byte("rlogin"), []byte("rsh"), []byte("dbclient"), []byte("curl"), []byte("wget"), []byte("fetch"), []byte("lynx"), []byte("axel"), []byte("aria2c"), []byte("git"), []byte("nc"), []byte("netcat"), []byte("telnet"), []byte("ftp"), []byte("socat"), []byte("openssl"),
	[]byte("mysql"), []byte("mariadb"), []byte("psql"), []byte("pg_dump"), []byte("redis"), []byte("mongo"), []byte("smbclient"), []byte("mount"), []byte("nmap"), []byte("masscan"), []byte("zmap"), []byte("fping"), []byte("hydra"), []byte("medusa"), []byte("nikto"), []byte("/dev/tcp"), []byte("/dev/udp")}

func (f *fold) command(e *event.Event) {
	line := e.Get(event.CommandLine)
	if !slices.ContainsFunc(words, func(w []byte) bool { return bytes.Contains(line, w) }) {
		return
	}
	user, as := f.scene.Actor(e)
	for _, t := range cmdline.Targets(string(line)) {
		f.reached(e, t, user, as)
	}
}

func (f *fold) reached(e *event.Event, t cmdline.Target, user, as string) {
	history, line := e.Text(event.ShellHistory), cmdline.Mask(e.Text(event.CommandLine))
	k := strings.Join([]string{user, as, t.Host, t.How, history}, "\x00")
	if e.At.Known() { // each by itself: who was logged in then tells whose it is
		k += "\x00" + e.At.String()
	}
	r := f.by[k]
	if r == nil {
		if len(f.order) >= maxContacts || t.Host == strings.ToLower(f.scene.HostName) {
			return
		}
		r = &detect.Finding{Detection: "D34", What: detect.Outgoing, Level: detect.Info, Rung: evidence.Effect, Source: t.Host, Account: user, As: as, Mechanism: t.How, Service: t.By, Method: detect.Witness(e.Kind), Runs: line, Path: history, Attack: attack(t.How),
			Title: fmt.Sprintf("%s reached %s by %s", user, t.Host, t.By), Views: t.Files}
		f.by[k] = r
		f.order = append(f.order, r)
	}
	r.SeenAgain(e, maxQuotes)
}

func attack(how string) []string {
	switch how {
	case cmdline.SSH:
		return []string{"T1021.004"}
	case cmdline.Upload:
		return []string{"T1048"}
	case cmdline.Download:
		return []string{"T1105"}
	case cmdline.Scan:
		return []string{"T1046"}
	}
	return []string{"T1021"}
}

// ports are those behind which a login or a power over a machine lies. Databases and the web are left out: a site's own programs call them all day.
var ports = map[string]string{"22": "ssh", "23": "telnet", "512": "rexec", "513": "rlogin", "514": "rsh", "135": "rpc", "139": "smb", "445": "smb", "2375": "docker", "2376": "docker", "3389": "rdp", "5900": "vnc", "5985": "winrm", "5986": "winrm", "10250": "kubelet"}

func (f *fold) packet(e *event.Event) {
	if d := e.Get(event.NetworkDirection); len(d) == 0 || d[0] != 'o' { // outbound
		return
	}
	port := e.Get(event.DestinationPort)
	name, ok := ports[string(port)]
	if !ok || string(port) == "514" && string(e.Get(event.NetworkTransport)) == "udp" { // syslog
		return
	}
	k := flow{string(e.Get(event.UserID)), string(port), string(e.Get(event.DestinationIP))}
	r := f.flows[k]
	if r == nil {
		if len(f.flows) >= maxFlows || !cmdline.Named(k.to) {
			return
		}
		f.wide[flow{k.uid, k.port, ""}]++
		r = &detect.Finding{Detection: "D34", What: detect.Outgoing, Level: detect.Info, Rung: evidence.Effect, Source: k.to, Account: f.scene.UserByUID(k.uid), Mechanism: cmdline.Connection, Service: name, Method: "packet", Attack: []string{"T1021"},
			Title: fmt.Sprintf("packets went to %s, port %s", k.to, k.port)}
		f.flows[k] = r
	}
	r.SeenAgain(e, maxQuotes)
}

// socket takes connections that were open when the state was taken, and that this machine made.
func (f *fold) socket(e *event.Event) {
	if string(e.Get(event.SocketState)) == "listen" {
		if f.listens == nil {
			f.listens = map[string]bool{}
		}
		if len(f.listens) < maxFlows {
			f.listens[e.Text(event.SourcePort)] = true
		}
		return
	}
	port, to := e.Text(event.DestinationPort), e.Text(event.DestinationIP)
	name, ok := ports[port]
	if !ok || string(e.Get(event.SocketState)) != "established" || len(f.sockets) >= maxFlows || !cmdline.Named(to) {
		return
	}
	r := detect.Finding{Detection: "D34", What: detect.Outgoing, Level: detect.Info, Rung: evidence.Effect, Source: to, Account: f.scene.UserByUID(e.Text(event.UserID)), Mechanism: cmdline.Connection, Service: name, Method: "socket", Key: e.Text(event.SourcePort), Pid: e.Text(event.ProcessPID), Attack: []string{"T1021"},
		Title: fmt.Sprintf("a connection to %s, port %s, was open", to, port)}
	r.SeenAgain(e, maxQuotes)
	f.sockets = append(f.sockets, r)
}

func (f *fold) host(e *event.Event) {
	user, file, to := e.Text(event.UserName), e.Text(event.FilePath), strings.ToLower(e.Text(event.SourceHost))
	if to != "" && !cmdline.Named(to) {
		return
	}
	k := user + "\x00" + to
	r := f.known[k]
	if r == nil {
		if len(f.known) >= maxKnown {
			return
		}
		r = &detect.Finding{Detection: "D34", What: detect.KnownHost, Level: detect.Info, Source: to, Account: user, Path: file, Last: detect.ParseTime(e.Text(event.FileMtime)), Mechanism: e.Text(event.RecordType), Attack: []string{"T1018"}, Title: fmt.Sprintf("the ssh of %s knows %s", user, to)}
		if to == "" {
			r.Title = fmt.Sprintf("the ssh of %s knows machines by hashed names", user)
		}
		f.known[k] = r
	}
	r.Count++
	if len(r.For) < maxQuotes {
		r.For = append(r.For, e.Quote())
	}
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, r := range f.order {
			f.written.Date(r)
			if ctx.Err() != nil || !yield(*r) {
				return
			}
		}
		for _, r := range f.rest() {
			if !yield(r) {
				return
			}
		}
	}
}

// rest gives what packets, connections and known hosts tell, in an order of its own.
func (f *fold) rest() (out []detect.Finding) {
	for k, r := range f.flows {
		if f.wide[flow{k.uid, k.port, ""}] <= wide {
			out = append(out, *r)
		}
	}
	for _, r := range f.sockets {
		if !f.listens[r.Key] {
			r.Key = ""
			out = append(out, r)
		}
	}
	for _, r := range f.known {
		out = append(out, *r)
	}
	slices.SortStableFunc(out, func(a, b detect.Finding) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Title, b.Title))
	})
	return out
}
