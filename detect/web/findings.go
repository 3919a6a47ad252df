package web

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// webAccounts are the accounts that web servers run as.
var webAccounts = map[string]bool{"www-data": true, "apache": true, "nginx": true, "httpd": true, "wwwrun": true, "http": true, "lighttpd": true, "nobody": true, "www": true, "php-fpm": true,
	"tomcat": true, "tomcat7": true, "tomcat8": true, "tomcat9": true, "tomcat10": true, "jetty": true, "jboss": true, "wildfly": true}

// dataDirs are names of directories that hold what visitors or applications put there, not programs.
var dataDirs = []string{"upload", "uploads", "images", "image", "img", "files", "file", "media", "cache", "tmp", "temp", "avatars", "attachments", "userfiles", "data", "pub", "assets", "backup", "pictures", "photos", "documents"}

func inDataDir(p string) bool {
	for _, d := range strings.Split(strings.ToLower(path.Dir(p)), "/") {
		for _, x := range dataDirs {
			if d == x {
				return true
			}
		}
	}
	return false
}

// signedCode is what a script does that evaluates what it gets encoded, and asks for a proof of who sent it.
const signedCode = "it runs what a request carries encoded and signed"

// contentPoints says how much what a script does speaks against it (artifact/webscript has the words).
var contentPoints = map[string]int{"it runs what a request carries": 3, "it runs what a request carries encoded": 4, signedCode: 3, "it runs what a request carries as a program": 4, "it calls itself by the name of a known web shell": 4, "it evaluates code that is packed more than once": 3, "it hides the name of a function that runs code": 3, "it evaluates code that it decodes": 2, "it runs what is no script by its name": 3, "it makes other files run as scripts": 2, "it mails what a request carries": 2, "it writes files where a request tells it to": 3, "it runs programs of the system": 1, "it takes files from anybody": 1,
	"it sends visitors who come from search engines to another site": 5, "it sends visitors who come from one search engine to another site": 3, "it sends visitors who come from search engines from some pages to another site": 2, "it sends what visitors type as their passwords to somebody": 4, "it hands card numbers on to somebody": 4, "it sends card numbers by mail to somebody": 4}

// hidden tells whether a directory of a path has a name with a dot in front.
func hidden(p string) bool { return strings.Contains(path.Dir(p), "/.") }

// uploads weighs each script below a web root: who put it there, what it does, who asked for it.
func (f *fold) uploads() (out []detect.Finding) {
	used := map[*script]bool{}
	for _, x := range f.sorted() {
		s := f.requests(x.path)
		used[s] = true
		if !x.script || x.pkg != "" {
			continue
		}
		if r, ok := f.weigh(x, s); ok {
			out = append(out, r)
		}
	}
	// Scripts that were asked for in a place for data and are on disk no more (or the disk is not here).
	var gone []*script
	for _, s := range f.scripts {
		if !used[s] && inDataDir(s.path) && s.count > 0 {
			gone = append(gone, s)
		}
	}
	sort.Slice(gone, func(i, j int) bool {
		return gone[i].first.Before(gone[j].first) || gone[i].first == gone[j].first && gone[i].path < gone[j].path
	})
	for i, s := range gone {
		if i >= 200 {
			break
		}
		r := detect.Finding{Detection: "D22", What: detect.WebScript, Level: detect.Medium, Rung: evidence.Accepted, First: s.first, Last: s.last, Count: s.count, Path: s.path, Source: s.by,
			Agent: s.agent, Sources: s.names(), For: append(append([]evidence.Quote{}, s.quotes...), s.argQuotes...), Attack: []string{"T1505.003"}, Service: "web",
			Title: "the script " + s.path + " in a directory for data was asked for", Detail: "it is not among the files that were read"}
		if p, c := f.putBy(s.first, s.by); p != nil {
			r.What, r.Detection, r.Source = detect.WebUpload, "D23", c
			if s.args > 0 && len(s.clients) <= 3 {
				r.Level = detect.High
			}
			r.For = append([]evidence.Quote{p.quote}, r.For...)
			r.Detail = "a POST to " + p.path + " came before its first use; " + r.Detail
			r.First = p.at
		}
		if w := f.writtenAt(s.path, s.first); w != nil {
			r.Level, r.Detail = detect.High, w.of(&r)+"; it is not among the files that were read"
		}
		out = append(out, r)
	}
	return out
}

func (f *fold) sorted() []*file {
	all := make([]*file, 0, len(f.files))
	for _, x := range f.files {
		all = append(all, x)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].path < all[j].path })
	return all
}

// requests gives the requests for a file: its path below one of the roots.
func (f *fold) requests(p string) *script {
	var best *script
	for _, r := range f.scene.WebRoots {
		if !strings.HasPrefix(p, r+"/") {
			continue
		}
		url := p[len(r):]
		if below, ok := strings.CutPrefix(url, "/ROOT/"); ok { // what an application server shows at the top
			url = "/" + below
		}
		for _, s := range []*script{f.scripts[url], f.scripts[path.Base(r)+url], f.scripts["/"+path.Base(r)+url]} {
			if s != nil && (best == nil || s.count > best.count) {
				best = s
			}
		}
		if best == nil {
			best = f.aliased(r, url)
		}
	}
	return best
}

func (s *script) names() []string {
	out := make([]string, 0, len(s.clients))
	for ip := range s.clients {
		if !s.looked(ip) {
			out = append(out, ip)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return s.clients[out[i]] > s.clients[out[j]] || s.clients[out[i]] == s.clients[out[j]] && out[i] < out[j]
	})
	return out
}

// applications tells a path among those that an application server unpacks and writes itself, under an account of any name.
func applications(p string) bool { return strings.Contains(p, "/webapps/") }

// installs tells the pages by which a site's own administrators add software to it.
func installs(p string) bool {
	for _, end := range []string{"/wp-admin/update.php", "/wp-admin/update-core.php", "/wp-admin/plugin-install.php", "/wp-admin/theme-install.php", "/wp-admin/plugins.php", "/wp-admin/admin-ajax.php", "/administrator/index.php", "/admin/modules/install", "/admin/reports/updates/install"} {
		if strings.HasSuffix(p, end) {
			return true
		}
	}
	return false
}

// behind words how far a file's time lies behind a request's stamp, or just before it: stamps have whole seconds, and some servers write them when a request ends.
func behind(d time.Duration) string {
	if d < 0 {
		return (-d).Round(1e7).String() + " before the stamp of"
	}
	return d.Round(1e7).String() + " behind"
}

// putBy finds the request that may have put a file there: the newest POST or PUT within
// the window before its birth, of the client that used it first if there is one, whatever the answer was, for
// what breaks in is often refused; else of a client whose POST was taken and that was alone in posting then, or alone in that no other file
// explains what it posted.
func (f *fold) putBy(born evidence.Time, by string) (*post, string) {
	if c := f.clients[by]; c != nil {
		if p := c.postBefore(born, false); p != nil {
			return p, by
		}
		if p := c.postBefore(born, true); p != nil {
			return p, by
		}
	}
	var found, free *post
	var who, freeWho string
	n, nFree := 0, 0
	for ip, c := range f.clients {
		p := c.postBefore(born, false)
		if p == nil {
			continue
		}
		n, found, who = n+1, p, ip
		if !f.madeBefore(p, born) {
			nFree, free, freeWho = nFree+1, p, ip
		}
	}
	switch {
	case n == 1:
		return found, who
	case nFree == 1:
		return free, freeWho
	}
	return nil, "" // more than one: cannot tell
}

// madeBefore tells whether a request has made another file than the one that was born then: one that was born nearer to it.
func (f *fold) madeBefore(p *post, born evidence.Time) bool {
	for _, t := range f.births {
		if !t.Before(p.at) && t.Before(born) {
			return true
		}
	}
	return false
}

// postBefore gives the newest POST or PUT of a client before t that was taken, or one that was refused.
func (c *client) postBefore(t evidence.Time, refused bool) *post {
	for i := len(c.posts) - 1; i >= 0; i-- {
		if d := t.Sub(c.posts[i].at); d >= -2e9 && d <= window && refused == (c.posts[i].status >= 400) {
			return &c.posts[i]
		}
	}
	return nil
}

// executions gives the output of children, by client where the log names one.
func (f *fold) executions() (out []detect.Finding) {
	by := map[string]*detect.Finding{}
	var order []*detect.Finding
	for _, o := range f.output {
		if o.ip == "" {
			o.ip = f.fetchedFrom(o.text)
		}
		r := by[o.ip]
		if r == nil {
			r = &detect.Finding{Detection: "D21", What: detect.WebExecution, Rung: evidence.Effect, Source: o.ip, Service: "web", Attack: []string{"T1059.004"},
				Title: "a child of the web server ran shell tools", Detail: o.text}
			by[o.ip] = r
			order = append(order, r)
		}
		r.Count++
		if o.at.Known() && len(r.When) < maxWhen {
			r.When = append(r.When, o.at)
		}
		r.Level = max(r.Level, o.weight)
		r.First, r.Last = evidence.Min(r.First, o.at), evidence.Max(r.Last, o.at)
		if len(r.For) < 5 {
			r.For = append(r.For, o.quote)
		}
	}
	for _, r := range order {
		out = append(out, *r)
	}
	return out
}

// maxAllTries bounds the attempts of one kind that are told one by one.
const maxAllTries = 5000

// attacks gives the attempts by class, the addresses folded.
func (f *fold) attacks() (out []detect.Finding) {
	by := map[string]*detect.Finding{}
	ips := f.ordered()
	for _, ip := range ips {
		for class, a := range f.clients[ip].attacks {
			r := by[class]
			if r == nil {
				r = &detect.Finding{Detection: "D09", What: detect.WebAttack, Level: detect.Low, Rung: evidence.Attempt, Service: "web", Mechanism: class, Source: ip, Attack: []string{"T1190"}}
				by[class] = r
			}
			r.Count += a.count
			r.First, r.Last = evidence.Min(r.First, a.first), evidence.Max(r.Last, a.last)
			if len(r.Sources) < 50 {
				r.Sources = append(r.Sources, ip)
				r.When = append(r.When, a.first)
			}
			if len(r.For) < 2*maxQuotes {
				r.For = append(r.For, a.quotes...)
			}
			if len(r.Tries) < maxAllTries {
				r.Tries = append(r.Tries, a.tries...)
			}
		}
	}
	for _, class := range keys(by) {
		r := by[class]
		r.Title = detect.Tried(r.Count, class, len(r.Sources))
		out = append(out, *r)
	}
	return out
}

func keys(m map[string]*detect.Finding) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (f *fold) ordered() []string {
	out := make([]string, 0, len(f.clients))
	for ip := range f.clients {
		out = append(out, ip)
	}
	sort.Strings(out)
	return out
}

// scans gives the clients that asked for much that is not there.
func (f *fold) scans() (out []detect.Finding) {
	for _, ip := range f.ordered() {
		c := f.clients[ip]
		if c.missing < 20 || c.missing*2 < c.count {
			continue
		}
		if len(out) >= 100 {
			break
		}
		out = append(out, detect.Finding{Detection: "D03", What: detect.WebScan, Level: detect.Low, Rung: evidence.Attempt, Service: "web", Source: ip, Agent: c.agent, Count: c.missing,
			First: c.first, Last: c.last, For: c.quotes, Attack: []string{"T1595.002"}, Title: fmt.Sprintf("%s asked for %d things that are not there", ip, c.missing)})
	}
	return out
}
