package web

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// proxied gathers what strangers fetched from other sites through this server. A server that is no proxy answers such requests, too, with its own front page: so
// only pages below the front count, and CONNECT, and only where the answers are as different as the places.
type proxied struct {
	count       int64
	first, last evidence.Time
	clients     map[string]int64
	places      map[string]bool // the last two parts of the hosts' names
	sizes       map[string]bool
	quotes      []evidence.Quote
}

const (
	maxProxied = 5000 // clients, places and sizes that are kept

	minProxied = 30
	minClients = 3
	minPlaces  = 5
	minSizes   = 10
)

// proxies looks whether a request is for another site and was answered.
func (f *fold) proxies(ip []byte, e *event.Event, status int64) {
	url, connect := e.Get(event.URL), string(e.Get(event.HTTPMethod)) == "CONNECT"
	if status != 200 || !connect && !bytes.HasPrefix(url, []byte("http://")) && !bytes.HasPrefix(url, []byte("ftp://")) {
		return
	}
	if user := e.Get(event.UserName); len(user) > 0 && string(user) != "-" || !detect.Outside(string(ip)) { // who logged in, or is at home here
		return
	}
	rest := url
	if _, r, ok := bytes.Cut(url, []byte("://")); ok {
		rest = r
	}
	host, below, _ := bytes.Cut(rest, []byte("/"))
	if !connect && len(below) == 0 || len(host) == 0 {
		return
	}
	p := &f.proxied
	if p.clients == nil {
		p.clients, p.places, p.sizes = map[string]int64{}, map[string]bool{}, map[string]bool{}
	}
	p.count++
	p.first, p.last = evidence.Min(p.first, e.At), evidence.Max(p.last, e.At)
	if _, ok := p.clients[string(ip)]; ok || len(p.clients) < maxProxied {
		p.clients[string(ip)]++
	}
	if len(p.places) < maxProxied {
		p.places[place(string(host))] = true
	}
	if size := e.Text(event.HTTPBytes); len(p.sizes) < maxProxied && size != "" && size != "0" && size != "-" {
		p.sizes[size] = true
	}
	if len(p.quotes) < maxQuotes {
		p.quotes = append(p.quotes, e.Quote())
	}
}

// place gives the last two parts of a host's name: one site's own names are one place.
func place(host string) string {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	if i := strings.LastIndexByte(host, '.'); i > 0 {
		if j := strings.LastIndexByte(host[:i], '.'); j >= 0 && strings.Trim(host, "0123456789.") != "" {
			return host[j+1:]
		}
	}
	return host
}

// openProxy tells a server that anybody uses to reach other sites.
func (f *fold) openProxy() (out []detect.Finding) {
	p := &f.proxied
	if p.count < minProxied || len(p.clients) < minClients || len(p.places) < minPlaces || len(p.sizes) < minSizes {
		return nil
	}
	who := slices.SortedFunc(maps.Keys(p.clients), func(x, y string) int {
		if d := p.clients[y] - p.clients[x]; d != 0 {
			return int(d)
		}
		return strings.Compare(x, y)
	})
	return []detect.Finding{{Detection: "D12", What: detect.Relayed, Level: detect.High, Rung: evidence.Effect, Service: "web", Mechanism: "proxy", Sources: who[:min(len(who), 200)], Count: p.count, First: p.first, Last: p.last, For: p.quotes, Attack: []string{"T1090"},
		Title:  fmt.Sprintf("strangers reach other sites through this web server: %s of %s for %s were answered", detect.Plural(p.count, "request", "requests"), detect.Plural(int64(len(p.clients)), "address", "addresses"), detect.Plural(int64(len(p.places)), "other site", "other sites")),
		Detail: "it is an open proxy: what they do there bears this server's address"}}
}
