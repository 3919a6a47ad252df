// Package web folds requests to web servers into what matters: who scans, which
// requests try to break in, which scripts were asked for, which of them a request put
// there, and what the server's children wrote to their stderr, the proof that a request
// ran commands. A status is no success: what counts is a file, a child or its output.
package web

import (
	"bytes"
	"context"
	"iter"
	"path"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "web", Title: "Break-ins through the web server", IDs: []string{"D02", "D03", "D08", "D09", "D12", "D21", "D22", "D23", "D37", "D54", "D73", "D77"},
		Doc:    "joins uploads, scripts that were asked for, scripts on disk and output of the server's children",
		Attack: []string{"T1190", "T1505.003", "T1595.002"},
		Wants:  []event.Kind{event.HTTPRequest, event.HTTPError, event.ChildOutput, event.File, event.MailSubmitted, event.MailDelivered},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, clients: map[string]*client{}, scripts: map[string]*script{}, files: map[string]*file{}, forms: map[string]*form{}, dumps: map[string]*dump{}, senders: map[string]*sender{}, written: map[string]*written{}, born: map[int64]int{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxClients = 200_000
	maxScripts = 20_000
	maxFiles   = 100_000
	maxPosts   = 32 // per client, the newest
	maxOutput  = 300
	maxQuotes  = 3
	maxWhen    = 200
	maxTries   = 20 // of one client and kind
)

type client struct {
	first, last evidence.Time
	count       int64
	missing     int64 // answered so that nothing is there, or nothing for him
	agent       string
	posts       []post
	login       siteLogin
	attacks     map[string]*attack
	quotes      []evidence.Quote // of 4xx
	administers bool             // it was shown pages of the administration, which nobody sees who has not logged in
}

type post struct {
	at     evidence.Time
	path   string
	status int64
	quote  evidence.Quote
	sql    bool // to a page that runs SQL
}

type attack struct {
	class       string
	count, ok   int64 // ok: answered 2xx
	first, last evidence.Time
	quotes      []evidence.Quote
	tries       []detect.Try
}

// script is a script that was asked for and answered as if it were there.
type script struct {
	path        string
	first, last evidence.Time
	count, args int64
	clients     map[string]int64
	acted       map[string]bool // those that handed it something
	by          string          // the first client
	agent       string
	quotes      []evidence.Quote // the first ones, then some with arguments
	argQuotes   []evidence.Quote
	when        []evidence.Time // the first maxWhen
}

// file is a script on disk, or another file that the web server's account owns below a web root.
type file struct {
	path                 string
	owner                string
	content              string
	pkg                  string
	mtime, ctime, crtime evidence.Time
	script               bool
	quote                evidence.Quote
}

type output struct {
	at     evidence.Time
	ip     string
	text   string
	quote  evidence.Quote
	weight detect.Level
}

type fold struct {
	scene    detect.Scene
	clients  map[string]*client
	scripts  map[string]*script
	files    map[string]*file
	forms    map[string]*form
	dumps    map[string]*dump
	senders  map[string]*sender
	byBase   map[string][]*script // filled at the end
	written  map[string]*written  // by the path that they name
	mails    []evidence.Time      // that the web server's account handed in
	reached  []reached            // whom any mail was brought to
	born     map[int64]int        // files born in each ten seconds below the web roots
	births   []evidence.Time      // of those that the web server's account owns
	output   []output
	deployed []deployment
	proxied  proxied
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.HTTPRequest:
		f.request(e)
	case event.ChildOutput:
		f.child(e)
	case event.File:
		f.file(e)
	case event.MailSubmitted:
		f.mailed(e)
	case event.MailDelivered:
		f.delivered(e)
	}
}

func (f *fold) request(e *event.Event) {
	ip := detect.From(e) // servers that look names up log them instead
	c := f.clients[string(ip)]
	if c == nil {
		if len(f.clients) >= maxClients {
			return
		}
		c = &client{agent: e.Text(event.UserAgent)}
		f.clients[string(ip)] = c
	}
	c.count++
	c.first, c.last = evidence.Min(c.first, e.At), evidence.Max(c.last, e.At)
	status, _ := e.Int(event.HTTPStatus)
	f.proxies(ip, e, status)
	url := e.Get(event.URL)
	p, query := url, []byte(nil)
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		p, query = url[:i], url[i+1:]
	}
	if notThere(status, e.Get(event.HTTPMethod)) {
		c.missing++
		if len(c.quotes) < maxQuotes {
			c.quotes = append(c.quotes, e.Quote())
		}
	}
	method := e.Get(event.HTTPMethod)
	if status == 200 || status == 206 {
		f.fetched(ip, p, e)
		c.administers = c.administers || administration(p)
	}
	if string(method) == "POST" {
		at := loginForm(p)
		c.login.posted(p, at, status, e)
		if at {
			f.posted(ip, p, status, e)
		} else if status < 400 && isScript(p) {
			f.submits(ip, p, e)
		}
	}
	if len(method) == 4 && method[1] == 'O' || string(method) == "PUT" {
		if len(c.posts) >= maxPosts {
			copy(c.posts, c.posts[1:])
			c.posts = c.posts[:maxPosts-1]
		}
		c.posts = append(c.posts, post{e.At, string(p), status, e.Quote(), sqlPage(url)})
	}
	if status != 404 && status != 403 && status != 400 && isScript(p) {
		f.asked(p, query, method, ip, e)
	}
	f.writes(ip, p, query, e)
	f.deploys(ip, p, query, status, e)
	if class := attackClass(url, e.Get(event.UserAgent), e.Get(event.HTTPReferrer)); class != "" {
		a := c.attacks[class]
		if a == nil {
			a = &attack{class: class}
			if c.attacks == nil {
				c.attacks = map[string]*attack{}
			}
			c.attacks[class] = a
		}
		a.count++
		if status >= 200 && status < 300 {
			a.ok++
		}
		a.first, a.last = evidence.Min(a.first, e.At), evidence.Max(a.last, e.At)
		if len(a.quotes) < maxQuotes {
			a.quotes = append(a.quotes, e.Quote())
		}
		if len(a.tries) < maxTries && e.At.Known() {
			a.tries = append(a.tries, detect.TryOf(e))
		}
	}
}

// asked keeps a request for a script. PATH_INFO behind the script's name does not belong to it.
func (f *fold) asked(p, query, method, ip []byte, e *event.Event) {
	if i := scriptEnd(p); i > 0 {
		p = p[:i]
	}
	s := f.scripts[string(p)]
	if s == nil {
		if len(f.scripts) >= maxScripts {
			return
		}
		s = &script{path: decode(p), clients: map[string]int64{}, acted: map[string]bool{}, by: string(ip), agent: e.Text(event.UserAgent)}
		f.scripts[string(p)] = s
	}
	if e.At.Before(s.first) || !s.first.Known() {
		s.by = string(ip)
	}
	s.count++
	s.first, s.last = evidence.Min(s.first, e.At), evidence.Max(s.last, e.At)
	if _, ok := s.clients[string(ip)]; ok || len(s.clients) < 64 {
		s.clients[string(ip)]++
	}
	if len(s.when) < maxWhen && e.At.Known() {
		s.when = append(s.when, e.At)
	}
	if len(s.quotes) < maxQuotes {
		s.quotes = append(s.quotes, e.Quote())
	}
	if len(query) > 0 || method != nil && string(method) == "POST" {
		s.args++
		if s.clients[string(ip)] > 0 {
			s.acted[string(ip)] = true
		}
		if len(query) > 0 && len(s.argQuotes) < 2*maxQuotes {
			s.argQuotes = append(s.argQuotes, e.Quote())
		}
	}
}

// scriptExt are the endings that web servers commonly hand to an interpreter.
var scriptExt = []string{".php", ".phtml", ".php3", ".php4", ".php5", ".php7", ".phar", ".cgi", ".pl", ".py", ".jsp", ".jspx", ".asp", ".aspx", ".sh"}

func isScript(p []byte) bool { return scriptEnd(p) > 0 }

// scriptEnd gives where the script's name ends within a request's path, 0 where there is none.
func scriptEnd(p []byte) int {
	for i := bytes.IndexByte(p, '.'); i >= 0 && i < len(p); {
		rest := p[i:]
		end := bytes.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		if dot := bytes.LastIndexByte(rest[:end], '.'); dot >= 0 {
			ext := rest[dot:end]
			for _, x := range scriptExt {
				if len(ext) == len(x) && strings.EqualFold(string(ext), x) {
					return i + end
				}
			}
		}
		next := bytes.IndexByte(p[i+end:], '.')
		if next < 0 {
			return 0
		}
		i += end + next
	}
	return 0
}

func (f *fold) file(e *event.Event) {
	p := e.Text(event.FilePath)
	if !f.underRoot(p) || string(e.Get(event.FileType)) != "file" {
		return
	}
	crtime := detect.ParseTime(e.Text(event.FileCrtime))
	if crtime.Known() && len(e.Get(event.FileContent)) == 0 { // each file is met once by the walk
		f.born[crtime.Sec/10]++
		if len(f.births) < maxFiles && webAccounts[f.scene.UserByUID(e.Text(event.FileUID))] {
			f.births = append(f.births, crtime)
		}
	}
	content := e.Text(event.FileContent)
	x := f.files[p]
	if x != nil {
		if content != "" && (x.content == "" || !strings.HasPrefix(content, "its title says")) { // what a script does is more than what it says
			x.content = content
		}
		return
	}
	isScript := isScript([]byte(p)) || path.Base(p) == ".htaccess" || path.Base(p) == ".user.ini"
	if !isScript && content == "" || len(f.files) >= maxFiles {
		return
	}
	f.files[p] = &file{path: p, owner: f.scene.UserByUID(e.Text(event.FileUID)), content: content, pkg: e.Text(event.FilePackage), mtime: detect.ParseTime(e.Text(event.FileMtime)),
		ctime: detect.ParseTime(e.Text(event.FileCtime)), crtime: crtime, script: isScript, quote: e.Quote()}
}

func (f *fold) underRoot(p string) bool {
	for _, r := range f.scene.WebRoots {
		if strings.HasPrefix(p, r+"/") {
			return true
		}
	}
	return false
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, part := range [](func() []detect.Finding){f.uploads, f.pages, f.mailForms, f.executions, f.logins, f.guesses, f.leaks, f.attacks, f.openProxy, f.scans} {
			for _, r := range part() {
				if ctx.Err() != nil || !yield(r) {
					return
				}
			}
		}
	}
}

// window is how long behind a request's stamp its file may be born: the stamp is of the request's start.
const window = 90 * time.Second
