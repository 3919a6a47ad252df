package orders

import (
	"bytes"
	"net/netip"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// mines is how package detect words a miner.
const mines = "mines for a pool"

// job tells of an order that a service whose users have it run what they like wrote down: that it was run is what the service is for, and who gave it may have been
// entitled to.
func (f *fold) job(e *event.Event, service, what string) {
	k := "job\x00" + service + what
	r := f.by[k]
	if r == nil {
		if len(f.order) >= maxKinds {
			return
		}
		r = &detect.Finding{Detection: "D30", What: detect.Command, Level: detect.High, Rung: evidence.Effect, Service: service, Mechanism: "job", First: e.At, Attack: []string{"T1059", "T1496"},
			Title: "a job of " + service + " was " + what, Detail: "see who may give it jobs, and from where it can be reached"}
		f.by[k] = r
		f.order = append(f.order, r)
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
	if len(r.For) < maxQuotes {
		r.For = append(r.For, e.Quote())
	}
}

// maxPeers bounds the processes of which it is kept who was connected.
const maxPeers = 10_000

var connection = []byte("connection from ")

// connected keeps who connected to a process of a service: what it is told to do stands in a line of its own.
func (f *fold) connected(e *event.Event) {
	if e.Kind != event.LogLine {
		return
	}
	_, rest, ok := bytes.Cut(e.Get(event.Message), connection)
	if !ok || len(e.Get(event.ProcessPID)) == 0 {
		return
	}
	end := bytes.IndexAny(rest, " ,;")
	if end < 0 {
		end = len(rest)
	}
	a := rest[:end]
	if i := bytes.LastIndexByte(a, ':'); i > 0 && bytes.Count(a, []byte(":")) == 1 {
		a = a[:i]
	}
	k := peerOf(e)
	if ip, err := netip.ParseAddr(string(a)); err == nil && (len(f.peers) < maxPeers || f.peers[k] != "") {
		f.peers[k] = ip.Unmap().String()
	}
}

// peerOf names a process of a service.
func peerOf(e *event.Event) string {
	return strings.Join([]string{e.Ref.Source, e.Text(event.ServiceName), e.Text(event.ProcessPID)}, "\x00")
}
