package database

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// server is one kind of database: what it says of who may come in, and who came from outside.
type server struct {
	name        string
	asksNobody  bool
	outward     string // the address that it listens at, if that is not only the host's own
	quotes      []evidence.Quote
	first, last evidence.Time
	outside     map[string]int64 // connections by address
	came        int64
	comers      []evidence.Quote
	firstComer  evidence.Time
	lastComer   evidence.Time
}

const (
	maxServers = 8
	maxOutside = 5000
)

// database tells the services that hold data.
func database(name []byte) bool {
	switch string(name) {
	case "mongodb", "redis", "mysql", "postgresql":
		return true
	}
	return false
}

func (f *fold) server(name []byte) *server {
	for _, s := range f.servers {
		if s.name == string(name) {
			return s
		}
	}
	if len(f.servers) >= maxServers {
		return nil
	}
	s := &server{name: string(name), outside: map[string]int64{}}
	f.servers = append(f.servers, s)
	return s
}

// set reads what a server says of itself when it starts.
func (f *fold) set(e *event.Event) {
	name := e.Get(event.ServiceName)
	if !database(name) {
		return
	}
	value := e.Text(event.SettingValue)
	switch string(e.Get(event.SettingName)) {
	case "security.authorization":
		if value == "disabled" {
			f.asks(name, e)
		}
	case "net.bindIp", "net.listen":
		for _, a := range strings.Split(value, ",") {
			ip := net.ParseIP(strings.Trim(strings.TrimSpace(a), "[]*"))
			if strings.TrimSpace(a) == "*" || ip != nil && !ip.IsLoopback() {
				f.listens(name, value, e)
			}
		}
	case "net.bindIpAll":
		if value == "true" {
			f.listens(name, "all addresses", e)
		}
	}
}

// said reads what redis says of itself.
func (f *fold) said(e *event.Event) {
	if m := e.Get(event.Message); len(m) > 40 && strings.HasPrefix(string(m[:40]), "WARNING: Redis does not require authenti") {
		f.asks(e.Get(event.ServiceName), e)
	}
}

func (f *fold) asks(name []byte, e *event.Event) {
	if s := f.server(name); s != nil {
		s.asksNobody = true
		s.quote(e)
	}
}

func (f *fold) listens(name []byte, address string, e *event.Event) {
	if s := f.server(name); s != nil {
		s.outward = address
		s.quote(e)
	}
}

func (s *server) quote(e *event.Event) {
	s.first, s.last = evidence.Min(s.first, e.At), evidence.Max(s.last, e.At)
	if len(s.quotes) < 3 {
		s.quotes = append(s.quotes, e.Quote())
	}
}

// came counts clients from outside.
func (f *fold) came(e *event.Event) {
	name := e.Get(event.ServiceName)
	if !database(name) {
		return
	}
	ip := e.Get(event.SourceIP)
	s := f.server(name)
	if s == nil || len(ip) == 0 {
		return
	}
	if n, ok := s.outside[string(ip)]; ok {
		if n > 0 {
			s.outside[string(ip)] = n + 1
			s.came++
			s.lastComer = evidence.Max(s.lastComer, e.At)
		}
		return
	}
	if len(s.outside) >= maxOutside {
		return
	}
	if !detect.Outside(string(ip)) {
		s.outside[string(ip)] = 0 // looked at once
		return
	}
	s.outside[string(ip)] = 1
	s.came++
	s.firstComer, s.lastComer = evidence.Min(s.firstComer, e.At), evidence.Max(s.lastComer, e.At)
	if len(s.comers) < 3 {
		s.comers = append(s.comers, e.Quote())
	}
}

// exposed gives the servers that ask nobody who he is, and who came to them from outside. That one came is no proof that he read or changed anything.
func (f *fold) exposed() (out []detect.Finding) {
	for _, s := range f.servers {
		if !s.asksNobody {
			continue
		}
		var who []string
		for ip, n := range s.outside {
			if n > 0 {
				who = append(who, ip)
			}
		}
		slices.Sort(who)
		if s.outward == "" && len(who) == 0 {
			continue // for the host alone, which is how it is installed
		}
		r := detect.Finding{Detection: "D32", What: detect.Exposed, Level: detect.Low, Service: s.name, First: s.first, Last: s.last, Count: s.came, Sources: who[:min(len(who), 200)], For: append(append([]evidence.Quote{}, s.quotes...), s.comers...), Attack: []string{"T1190"},
			Title: s.name + " asks nobody who he is", Detail: "it listens at " + s.outward + "; a firewall may stand before it, and nobody from outside was seen at it"}
		if len(who) > 0 {
			r.Level, r.Rung = detect.Medium, evidence.Accepted
			r.First, r.Last = evidence.Min(s.first, s.firstComer), evidence.Max(s.last, s.lastComer)
			r.Title = fmt.Sprintf("%s asks nobody who he is, and %s from outside came to it", s.name, detect.Plural(int64(len(who)), "address", "addresses"))
			r.Detail = fmt.Sprintf("%d connections, the first address %s; what they read is not logged", s.came, who[0])
		}
		out = append(out, r)
	}
	return out
}
