package web

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// siteLogin is what one client did at the login form of the site's own software. The log knows no password: a form that
// comes again is a refusal, a redirection is the way in.
type siteLogin struct {
	form    string
	refused int64 // before it entered
	first   evidence.Time
	entered evidence.Time
	quotes  []evidence.Quote // of refusals, then of the way in
	edited  []evidence.Quote // POSTs to an editor of the software's own files
	edit    evidence.Time
	ranSQL  bool // the first of these pages is one that runs SQL
}

// minSiteTries is the fewest refusals that are called guessing.
const minSiteTries = 6

// loginForm tells the login forms of the usual content managers and of what is named like them.
func loginForm(p []byte) bool {
	p = bytes.ToLower(p)
	base := path.Base(string(p))
	return bytes.HasSuffix(p, []byte("/wp-login.php")) || bytes.HasSuffix(p, []byte("/administrator/index.php")) || bytes.HasSuffix(p, []byte("/administrator/")) || bytes.HasSuffix(p, []byte("/user/login")) ||
		ticketForm(p) || strings.HasPrefix(base, "login") || strings.HasPrefix(base, "signin") || base == "auth.php" || bytes.HasSuffix(p, []byte("/phpmyadmin/index.php"))
}

// editor tells the pages by which an administrator of a content manager writes programs into it.
func editor(p []byte) bool {
	p = bytes.ToLower(p)
	for _, x := range []string{"theme-editor.php", "plugin-editor.php", "wp-admin/update.php", "plugin-install.php", "theme-install.php", "wp-admin/admin-ajax.php", "filemanager", "elfinder", "administrator/index.php", "admin/modules/install"} {
		if bytes.Contains(p, []byte(x)) {
			return true
		}
	}
	return false
}

// ticketForm tells where the pages of panels, which are programs of their own, ask for a ticket: they are refused by a status, and let in by the answer itself.
func ticketForm(p []byte) bool {
	for _, end := range []string{"/api2/json/access/ticket", "/api/auth", "/api/tokens", "/api/login", "/api/v1/login", "/api/v1/auth/login", "/users/authenticatebyname", "/api/session", "/rest/login", "/api/auth/login"} {
		if bytes.HasSuffix(p, []byte(end)) {
			return true
		}
	}
	return false
}

func (l *siteLogin) posted(p []byte, form bool, status int64, e *event.Event) {
	switch {
	case status < 400 && l.entered.Known() && (editor(p) || sqlPage(e.Get(event.URL))):
		if len(l.edited) < maxQuotes {
			l.edited = append(l.edited, e.Quote())
		}
		if !l.edit.Known() {
			l.edit, l.ranSQL = e.At, !editor(p)
		}
	case !form:
	case ticketForm(bytes.ToLower(p)) && (status == 200 || status == 201 || status == 204):
		if !l.entered.Known() {
			l.entered, l.form = e.At, string(p)
			l.quotes = append(l.quotes, e.Quote())
		}
	case status == 200 || status == 401 || status == 403 || status == 422 || status == 400 && ticketForm(bytes.ToLower(p)):
		if l.entered.Known() {
			return
		}
		l.refused++
		l.first = evidence.Min(l.first, e.At)
		if len(l.quotes) < maxQuotes {
			l.quotes = append(l.quotes, e.Quote())
		}
	case status == 302 || status == 303:
		if !l.entered.Known() {
			l.entered, l.form = e.At, string(p)
			l.quotes = append(l.quotes, e.Quote())
		}
	}
}

// logins gives who entered the site's own software after guessing, or wrote programs into it.
func (f *fold) logins() (out []detect.Finding) {
	for _, ip := range f.ordered() {
		l := &f.clients[ip].login
		if !l.entered.Known() || l.refused < minSiteTries && !l.edit.Known() || len(out) >= 500 {
			continue
		}
		r := detect.Finding{Detection: "D24", What: detect.WebLogin, Level: detect.Info, Rung: evidence.Accepted, Service: "web", Source: ip, Agent: f.clients[ip].agent, Path: l.form, First: l.entered, Last: evidence.Max(l.entered, l.edit),
			Count: l.refused, For: append(append([]evidence.Quote{}, l.quotes...), l.edited...), Attack: []string{"T1110.001", "T1078"}}
		r.Title = fmt.Sprintf("%s entered %s after %d refusals", ip, l.form, l.refused)
		if l.refused >= minSiteTries {
			r.Level = detect.Medium
		}
		if l.edit.Known() {
			r.Detail = "and wrote programs with the software's own editor"
			if l.ranSQL {
				r.Detail = "and ran SQL"
			}
		}
		out = append(out, r)
	}
	return out
}
