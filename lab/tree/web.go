package tree

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"telltale/lab"
	"telltale/lab/site"
)

// HTTP answers a request as apache 2.4 with PHP would, and writes what it writes.
func (s *server) HTTP(_ context.Context, r lab.Request) (int, error) {
	if !s.setup.Has(lab.Web) {
		return 0, fmt.Errorf("no web server")
	}
	began := s.clock
	s.tick(60 * time.Millisecond)
	x := &exchange{s: s, r: r, port: 1024 + s.rand.IntN(64000)}
	x.path, x.query, _ = strings.Cut(r.Path, "?")
	status, size, err := x.answer()
	method := r.Method
	if method == "" {
		method = "GET"
	}
	dash := func(v string) string {
		if v == "" {
			return "-"
		}
		return v
	}
	s.log("/var/log/apache2/access.log", 0o640, fmt.Sprintf("%s - - [%s] \"%s %s HTTP/1.1\" %d %d \"%s\" \"%s\"\n", r.From, began.In(s.zone).Format("02/Jan/2006:15:04:05 -0700"), method, r.Path, status, size,
		dash(r.Referer), dash(r.Agent)))
	s.tick(5 * time.Millisecond)
	return status, err
}

// exchange is one request while it is answered.
type exchange struct {
	s           *server
	r           lab.Request
	path, query string
	port        int
}

// complain writes a line of error.log.
func (x *exchange) complain(module, format string, a ...any) {
	x.s.log("/var/log/apache2/error.log", 0o640, fmt.Sprintf("[%s] [%s] [pid %d] [client %s:%d] %s\n", x.s.clock.In(x.s.zone).Format("Mon Jan 02 15:04:05.000000 2006"), module,
		x.s.daemons["apache2"]+x.s.rand.IntN(5), x.r.From, x.port, fmt.Sprintf(format, a...)))
}

func (x *exchange) answer() (status, size int, err error) {
	s, post := x.s, x.r.Method == "POST"
	const head = 270
	if name, ok := strings.CutPrefix(x.path, "/cgi-bin/"); ok {
		return x.cgi(site.CGI + "/" + name)
	}
	p := path.Join(site.Root, path.Clean(x.path))
	if strings.HasSuffix(x.path, "/") {
		p = path.Join(p, "index.html")
	}
	n := s.find(p)
	switch {
	case n == nil || n.dir():
		if strings.HasSuffix(p, ".php") {
			x.complain("php:error", "script '%s' not found or unable to stat", p)
		}
		return 404, 436 + len(s.setup.Hostname), nil
	case !strings.HasSuffix(p, ".php"):
		return 200, head + len(n.data), nil
	}
	www := s.user("www-data")
	switch x.path {
	case "/upload.php":
		if u := x.r.Upload; post && u != nil {
			if _, err := s.write(site.Root+"/uploads/"+path.Base(u.Name), u.Data, 0o644, www.uid, www.gid); err != nil {
				return 500, 0, err
			}
		}
		return 302, 190, nil
	case "/contact.php":
		if post {
			s.submitted(www, "www-data@"+s.setup.Hostname, "board@example.net")
		}
		return 200, head + 80, nil
	case "/wp-login.php":
		if post && s.knows(x.r.Form["log"], x.r.Form["pwd"]) {
			s.offers["session "+x.r.From.String()] = []byte(x.r.Form["log"])
			return 302, 450, nil
		}
		return 200, 2400, nil
	case "/wp-admin/theme-editor.php":
		if s.offers["session "+x.r.From.String()] == nil {
			return 302, 300, nil
		}
		if post {
			if _, err := s.write(site.Theme, []byte(x.r.Form["newcontent"]), 0o644, www.uid, www.gid); err != nil {
				return 500, 0, err
			}
			return 302, 320, nil
		}
		return 200, 5200, nil
	}
	return x.script(p, n)
}

// knows asks the CMS's list of accounts.
func (s *server) knows(name, password string) bool {
	n := s.find("/etc/site-users.ini")
	return n != nil && name != "" && strings.Contains(string(n.data), fmt.Sprintf("%s = %q\n", name, password))
}

// script runs the stand-ins.
func (x *exchange) script(p string, n *inode) (status, size int, err error) {
	s, www := x.s, x.s.user("www-data")
	if k := site.Mails(n.data); k > 0 {
		for i := range k {
			s.tick(40 * time.Millisecond)
			s.submitted(www, "parcel@example.com", fmt.Sprintf("customer%d@example.net", i+1))
		}
		return 200, 180, nil
	}
	c := x.r.Form["c"]
	if q, err := url.ParseQuery(x.query); err == nil && c == "" {
		c = q.Get("c")
	}
	var k int
	if _, err := fmt.Sscanf(c, "%d", &k); err != nil {
		return 200, 190, nil
	}
	list := site.Commands(n.data)
	if k < 1 || k > len(list) {
		return 200, 190, nil
	}
	sh := &shell{s: s, user: www, dir: path.Dir(p), quiet: true}
	if err := sh.run(list[k-1]); err != nil {
		return 500, 0, fmt.Errorf("%s: %w", p, err)
	}
	return 200, 230, nil
}

// cgi plays the status page, which hands its parameter to a shell.
func (x *exchange) cgi(p string) (status, size int, err error) {
	s := x.s
	if s.find(p) == nil {
		x.complain("cgi:error", "AH02811: stderr from %s: script not found or unable to stat", p)
		return 404, 436, nil
	}
	q := strings.TrimPrefix(x.query, "host=")
	if u, err := url.QueryUnescape(q); err == nil {
		q = u
	}
	_, commands, injected := strings.Cut(q, ";")
	if !injected {
		return 200, 190, nil
	}
	sh := &shell{s: s, user: s.user("www-data"), dir: site.CGI, quiet: true}
	for _, c := range split(commands) {
		if len(c.words) > 0 && (c.words[0] == "wget" || c.words[0] == "curl") {
			for _, line := range said(s, c.words) {
				x.complain("cgi:error", "AH01215: stderr from %s: %s", p, line)
			}
		}
		if len(c.words) > 0 && c.words[0] == "lynx" { // not installed
			x.complain("cgi:error", "AH01215: stderr from %s: sh: 1: %s: not found", p, c.words[0])
			continue
		}
		if err := sh.one(c); err != nil {
			return 500, 0, err
		}
	}
	x.complain("cgi:error", "End of script output before headers: %s", path.Base(p))
	return 500, 800, nil
}

// said is what wget writes to its stderr.
func said(s *server, words []string) []string {
	for _, w := range words {
		if strings.HasPrefix(w, "http") {
			if u, err := url.Parse(w); err == nil {
				to := path.Base(u.Path)
				return []string{fmt.Sprintf("--%s--  %s", s.clock.In(s.zone).Format(time.DateTime), w), fmt.Sprintf("Connecting to %s:80... connected.", u.Host), "HTTP request sent, awaiting response... 200 OK",
					fmt.Sprintf("Length: %d [application/octet-stream]", len(s.offers[u.Host+u.Path])), fmt.Sprintf("Saving to: '%s'", to)}
			}
		}
	}
	return nil
}

// Serve offers a file on an address of the Internet.
func (s *server) Serve(from netip.Addr, path string, data []byte) error {
	s.offers[from.String()+path] = data
	return nil
}
