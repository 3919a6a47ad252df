package story

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// vectors are the ways in that are weighed in every case.
var vectors = [...]struct {
	name, words string
	log         string // the logs without which nothing can be said about it; "" where every case has what shows it
	service     string // the kind of daemon that it needs; "" for none
	flip        string // the observation that would put it first
	fall        string // the observation that would take it from the first place
}{
	{"ssh-password-guessed", "an ssh password was guessed", "logins", "", "refused tries before a login that led to something, in the log of logins or btmp", "the owner of the account showing that the accepted login was his own"},
	{"ssh-password-known", "an ssh password was known", "logins", "", "a login by password from an address that is nobody's, at the first try", "the owner of the account saying that he came from that address, or refused tries that are missing from the log"},
	{"ssh-key", "an ssh key was stolen", "logins", "", "a login by key from an address that is nobody's", "the key's owner saying that he came from that address"},
	{"ftp-password", "an ftp password was known or guessed", "ftp", "ftp", "a transfer log that names the intruder's file", "the file's birth at another time than the transfer's"},
	{"web-upload", "a script was uploaded through a web form", "web", "web", "a POST just before the birth of a script that is then asked for", "the site's developer knowing the script and having put it there by this form"},
	{"web-exploit", "a fault of a web application ran commands", "web", "web", "a request that carries a command, and what that command left", "a request or transfer that brought the script"},
	{"web-admin", "an account of the site's own software was used", "web", "web", "a login to the site's software before the script changed", "the editor of the site having made that change"},
	{"mail-account", "a mail account's password was used", "mail", "mail", "mail handed in with that account's password from addresses that are nobody's", "the account's owner having sent these mails"},
	{"open-relay", "the mail server sends for everybody", "mail", "mail", "mail of strangers to strangers that was taken without a password", "the sender being one of the networks that the server is meant to serve"},
	{"database-exposed", "a database that could be reached from outside was used", "database", "database", "a statement from outside that wrote a file or ran a program", "the application's owner knowing the statement"},
	{"daemon-exploit", "a fault of a network daemon was used", "", "", "a crash of the daemon, or a command of its protocol that none of its users sends, and what it left", "an ordinary login that wrote the same file"},
	{"open-share", "a share that is open to the outside was written to", "", "share", "the share's own log with the file's name", "another way by which the file came"},
	{"insider", "somebody entitled did it", "logins", "", "the address of somebody who works there, in a session in which logs were tampered with", "the account's owner having been elsewhere, or a stranger at the same machine"},
	{"supply-chain", "it came with software that was installed", "packages", "", "a package's record that names the file, or its scripts' run in that second", "somebody logged in at that second who put it there"},
	{"local-script", "a job or script of the server's own did it", "", "", "an entry of cron or a program that stood there before, and did the same", "a login or request just before"},
}

// wordsOf gives a way in as a sentence.
func wordsOf(vector string) string {
	for i := range vectors {
		if vectors[i].name == vector {
			return vectors[i].words
		}
	}
	return vector
}

// hasLog tells whether there is a kind of log that would show a way in.
func hasLog(vector string) bool {
	for i := range vectors {
		if vectors[i].name == vector {
			return vectors[i].log != ""
		}
	}
	return false
}

// rank puts the likeliest way in first.
func (b *builder) rank() {
	sort.SliceStable(b.s.Hypotheses, func(i, j int) bool {
		x, y := b.s.Hypotheses[i], b.s.Hypotheses[j]
		if order(x.Status) != order(y.Status) {
			return order(x.Status) < order(y.Status)
		}
		return x.Score > y.Score
	})
}

// weigh makes a hypothesis of each vector: what speaks for it, what against, and what would change it.
func (b *builder) weigh() {
	for i := range vectors {
		v := &vectors[i]
		h := Hypothesis{Vector: v.name, For: []string{}, Against: []string{}, Weights: []Weight{}, WouldFlip: v.flip}
		for j := range b.entered {
			if w := &b.entered[j]; w.vector == v.name {
				h.WouldFlip = v.fall
				b.entering(&h, w, v.words)
			}
		}
		if h.Status == "" {
			b.besides(&h, v.words)
		}
		if h.Status == "" && !b.newcomer(&h) {
			b.without(&h, v.log, v.service)
		}
		b.sides(&h)
		b.s.Hypotheses = append(b.s.Hypotheses, h)
	}
	b.rank()
}

func order(s Status) int {
	if i := slices.Index([]Status{Confirmed, Likely, Possible, CannotTell, RuledOut}, s); i >= 0 {
		return i
	}
	return 9
}

// entering takes up a way in that was found.
func (b *builder) entering(h *Hypothesis, w *way, words string) {
	h.For = ids(append(h.For, w.claims...)...)
	if h.Status == "" || w.status == Confirmed {
		h.Status = w.status
	}
	if d, ok := OtherDoor(h.Vector, w.service); ok {
		words = strings.Replace(words, "an ssh password", "the "+d+" password", 1)
	}
	if h.Vector == "web-admin" && event.ClassOf(w.service) == event.PanelService {
		words, h.WouldFlip = "an account was used at the server's panel, "+Door(w.service), "the owner of the account showing that the accepted login was his own"
	}
	h.Why = words + ": " + list(w.sources)
	if w.account != "" { // which logs alone do not always tell
		h.Why += " as " + w.account
	}
	h.Why += ", first " + clock(w.first)
	h.Weights = append(h.Weights, w.weights...)
	if l := w.login; l != nil && w.vector == "ssh-password-known" && l.Access.FailedHere+l.Access.FailedAccount > 0 {
		h.Weights = weighs(h.Weights, "failures-before", b.triesAt(l))
	}
}

// besides weighs a vector against the ways in that were found by another name: the same login or script can be told by more than one story.
func (b *builder) besides(h *Hypothesis, words string) {
	for i := range b.entered {
		w := &b.entered[i]
		switch {
		case w.login != nil && shellService(w.login.Service) && !(w.vector == "web-admin" && strings.HasPrefix(h.Vector, "ssh-")):
			b.otherLogin(h, w)
		case w.service == "web":
			b.otherScript(h, w)
		}
	}
	if h.Vector == "insider" && len(b.beside) > 0 {
		h.Weights = weighs(weighs(h.Weights, "effect", b.beside[0]), "usual-place", b.beside[0])
	}
	if len(h.Weights) == 0 {
		return
	}
	h.Status = Possible
	h.Why = fmt.Sprintf("%s: what was found fits it too, but less well", words)
	if total(h.Weights) <= 0 {
		h.Status, h.Why = RuledOut, words+": what was found speaks against it"
	}
}

// otherLogin weighs other stories of a login.
func (b *builder) otherLogin(h *Hypothesis, w *way) {
	l := w.login
	add := func(rule, claim string) {
		if claim != "" {
			h.Weights = weighs(h.Weights, rule, claim)
		}
	}
	accepted := last(w.claims)
	password := l.Method == "password" || strings.HasPrefix(l.Method, "keyboard-interactive")
	switch h.Vector {
	case "ssh-password-guessed":
		if l.Access.FailedHere+l.Access.FailedAddress+l.Access.FailedAccount > 0 {
			add("tried", b.triesAt(l))
		} else if l.Method == "record" {
			add("accepted", accepted)
		}
		if l.Method == "publickey" {
			add("by-key-instead", accepted)
		}
	case "ssh-password-known":
		add("accepted", accepted)
		switch {
		case l.Method == "publickey":
			add("by-key-instead", accepted)
		case w.vector == "ssh-password-guessed":
			add("guessed-first", first(w.claims))
		}
	case "ssh-key":
		add("accepted", accepted)
		if password {
			add("by-password", accepted)
		}
	case "insider":
		add("accepted", accepted)
		if o := b.origin(l.Source); o == "near" || o == "internal" {
			add("usual-place", accepted)
		} else {
			add("outside", accepted)
		}
	}
}

// otherScript weighs other stories of a script on the web server.
func (b *builder) otherScript(h *Hypothesis, w *way) {
	id := first(w.claims)
	web := h.Vector == "web-upload" || h.Vector == "web-exploit" || h.Vector == "web-admin"
	switch {
	case id == "":
		return
	case w.vector == "unknown" && web:
		h.Weights = weighs(h.Weights, "other-owner", last(w.claims))
		return
	case w.vector == "unknown" && (h.Vector == "ftp-password" || h.Vector == "open-share" || h.Vector == "ssh-password-known"):
		h.Weights = weighs(h.Weights, "written-by", last(w.claims))
		return
	case !web:
		return
	}
	h.Weights = weighs(h.Weights, "written-by", id)
	attacked := false
	for _, s := range w.sources {
		attacked = attacked || b.attacked(s) || b.ran(s)
	}
	if read, _, _ := b.covered("web"); h.Vector == "web-exploit" && read {
		if attacked {
			h.Weights = weighs(h.Weights, "attack-before", id)
		} else {
			h.Weights = weighs(h.Weights, "no-attack", id)
		}
	}
}

func last(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[len(s)-1]
}

// triesAt tells the refused tries for a login's account.
func (b *builder) triesAt(l *detect.Finding) string {
	if id := b.told[l]; id != "" {
		return id
	}
	qs := b.triesFor(l.Account)
	if len(qs) == 0 {
		return ""
	}
	return b.claim(fmt.Sprintf("Tries to log in as %s were refused.", l.Account), evidence.Attempt, l.First, Confirmed, qs, nil)
}

// sides sorts the claims of a hypothesis by which way they point, and sums up.
func (b *builder) sides(h *Hypothesis) {
	for _, w := range h.Weights {
		if w.Points > 0 {
			h.For = ids(append(h.For, w.Claim)...)
		} else {
			h.Against = ids(append(h.Against, w.Claim)...)
		}
	}
	h.Score = total(h.Weights)
}

// without says what is known of a vector for which nothing speaks: silence of a log counts against it only where the
// log was there and covers the time of the incident.
func (b *builder) without(h *Hypothesis, log, service string) {
	read, from, to := b.covered(log)
	begin, end := b.s.Window()
	_, stands := b.set.Services[service]
	switch {
	case service != "" && b.set.Tree && !stands && !read:
		h.Status, h.Why = RuledOut, "no such service stands on the server"
		h.Weights = weighs(h.Weights, "no-daemon", "")
	case log == "":
		h.Status, h.Why = CannotTell, "nothing that was read speaks for it, and no log would surely tell of it"
	case !read:
		h.Status, h.Why = CannotTell, "no log that would show it was read: "+sources[log]
	case log == "logins" && len(b.by[detect.LogEdited]) > 0 && !b.journal(), begin != "" && !(from <= begin && to >= end) && b.tampered():
		h.Status, h.Why = CannotTell, "the logs that would show it were tampered with"
	case begin == "":
		h.Status, h.Why = RuledOut, fmt.Sprintf("nothing speaks for it in the logs from %s to %s", from, to)
		if b.attempts(log) {
			h.Why = fmt.Sprintf("tried, without success in the logs from %s to %s", from, to)
		}
	case from <= begin && to >= end:
		h.Status, h.Why = RuledOut, fmt.Sprintf("the logs cover the time (%s to %s) and show no success", from, to)
		h.Weights = weighs(h.Weights, "silent", "")
	default:
		h.Status, h.Why = CannotTell, fmt.Sprintf("its logs (%s to %s) do not cover the whole time of the incident", from, to)
	}
}

func (b *builder) tampered() bool {
	return len(b.by[detect.LogEdited])+len(b.by[detect.LogCut])+len(b.by[detect.LogSilent]) > 0
}

func (b *builder) attempts(log string) bool {
	for _, f := range b.by[detect.Guessing] {
		if (log == "logins" && f.Service != "web") || log == f.Service {
			return true
		}
	}
	return log == "web" && len(b.by[detect.WebAttack])+len(b.by[detect.WebScan]) > 0
}
