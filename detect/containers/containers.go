// Package containers looks at what containers may do to their host, and at engines that take orders from the network. Administrators give containers such
// power every day, to watch or to update a host; so power alone is little, and a command that leaves the container is more.
package containers

import (
	"context"
	"fmt"
	"iter"
	"net"
	"sort"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "containers", Title: "Containers with power over the host", IDs: []string{"D41", "D79"},
		Doc:    "judges what containers are given of the host, what they run, and whether the engine takes orders from anybody",
		Attack: []string{"T1610", "T1611"},
		Wants:  []event.Kind{event.Container, event.ContainerChange, event.ServerSetting},
		New:    func(detect.Scene) detect.Fold { return &fold{by: map[string]*container{}, apis: map[string]*api{}} },
	}
}

// Bounds of what is kept.
const (
	maxContainers = 20_000
	maxWhen       = 50
	maxTold       = 100
	maxAPIs       = 20
	idLen         = 12 // of an id's digits are written where space is short
)

// container is what the files and the log tell of one.
type container struct {
	id, name, image, command string
	made                     evidence.Time
	powers                   []string
	quotes                   []evidence.Quote
	entered                  []evidence.Time // exec
	count                    int64
}

// api is an address at which an engine takes orders.
type api struct {
	service, address string
	first, last      evidence.Time
	bare             bool // it says itself that it asks nobody who he is
	quotes           []evidence.Quote
}

type fold struct {
	by     map[string]*container
	apis   map[string]*api
	mined  []detect.Finding
	images map[string]bool
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.Container:
		f.container(e)
	case event.ContainerChange:
		f.changed(e)
	case event.ServerSetting:
		f.setting(e)
	}
}

func (f *fold) known(id []byte) *container {
	id = id[:min(len(id), idLen)]
	if len(id) == 0 {
		return nil
	}
	c := f.by[string(id)]
	if c == nil && len(f.by) < maxContainers {
		c = &container{id: string(id)}
		f.by[c.id] = c
	}
	return c
}

func (f *fold) container(e *event.Event) {
	c := f.known(e.Get(event.ContainerID))
	if c == nil {
		return
	}
	set := func(to *string, k event.Key) {
		if v := e.Text(k); v != "" {
			*to = v
		}
	}
	set(&c.name, event.ContainerName)
	set(&c.image, event.ContainerImage)
	set(&c.command, event.CommandLine)
	c.made = evidence.Min(c.made, e.At)
	if v := e.Text(event.Change); v != "" {
		c.powers = append(c.powers, strings.Split(v, "; ")...)
	}
	if len(c.quotes) < 4 {
		c.quotes = append(c.quotes, e.Quote())
	}
}

func (f *fold) changed(e *event.Event) {
	if image := e.Text(event.ContainerImage); miner(image) && !f.images[image] && len(f.mined) < maxTold {
		if f.images == nil {
			f.images = map[string]bool{}
		}
		f.images[image] = true
		f.mined = append(f.mined, detect.Finding{Detection: "D79", What: detect.Container, Level: detect.High, Rung: evidence.Accepted, Service: e.Text(event.ServiceName), First: e.At, Last: e.At, Count: 1, Path: image, Attack: []string{"T1610", "T1496"},
			Title: "the image " + image + " was fetched", Detail: "its name is that of a miner", For: []evidence.Quote{e.Quote()}})
	}
	if string(e.Get(event.Change)) != "exec" {
		return
	}
	if c := f.known(e.Get(event.ContainerID)); c != nil {
		c.count++
		if len(c.entered) < maxWhen {
			c.entered = append(c.entered, e.At)
		}
		if c.count == 1 {
			c.quotes = append(c.quotes, e.Quote())
		}
	}
}

// miner tells names of images that say what they are for.
func miner(image string) bool {
	for _, w := range strings.FieldsFunc(strings.ToLower(image), func(r rune) bool { return r == '/' || r == ':' || r == '-' || r == '_' || r == '.' }) {
		switch w {
		case "xmrig", "monero", "minerd", "cpuminer", "cryptonight", "xmr", "randomx", "nbminer", "ethminer":
			return true
		}
	}
	return false
}

func (f *fold) setting(e *event.Event) {
	name := string(e.Get(event.SettingName))
	if name != "api.listen" && name != "api.unprotected" {
		return
	}
	address := e.Text(event.SettingValue)
	port := address[strings.LastIndexByte(address, ':')+1:]
	host := strings.Trim(strings.TrimSuffix(address[strings.Index(address, "//")+1:], ":"+port), "/[]")
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() || host == "localhost" || name == "api.listen" && port != "2375" {
		return // with certificates, by the port's meaning, or for the host alone
	}
	service := e.Text(event.ServiceName)
	x := f.apis[service+port]
	if x == nil {
		if len(f.apis) >= maxAPIs {
			return
		}
		x = &api{service: service, address: address}
		f.apis[service+port] = x
	}
	x.bare = x.bare || name == "api.unprotected"
	x.first, x.last = evidence.Min(x.first, e.At), evidence.Max(x.last, e.At)
	if len(x.quotes) < 3 {
		x.quotes = append(x.quotes, e.Quote())
	}
}

// Findings gives the open engines, then the containers, the gravest first.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		out := append(f.open(), f.mined...)
		for _, c := range f.by {
			if r, ok := c.judge(); ok {
				out = append(out, r)
			}
		}
		sort.SliceStable(out, func(i, j int) bool {
			if out[i].Level != out[j].Level {
				return out[i].Level > out[j].Level
			}
			return out[i].Title < out[j].Title
		})
		for _, r := range out[:min(len(out), maxTold)] {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}

func (f *fold) open() (out []detect.Finding) {
	for _, x := range f.apis {
		r := detect.Finding{Detection: "D41", What: detect.Exposed, Level: detect.Low, Service: x.service, Path: x.address, First: x.first, Last: x.last, Count: 1, Attack: []string{"T1610"}, For: x.quotes,
			Title: fmt.Sprintf("%s takes orders at %s", x.service, x.address), Detail: "the port of connections without certificates; a firewall may stand before it"}
		if x.bare {
			r.Level = detect.Medium
			r.Detail = "it warns itself that it asks nobody for a certificate: who reaches this port is root on this host, unless a firewall stands before it"
		}
		out = append(out, r)
	}
	return out
}
