package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

var vectorWords = map[string]string{
	"ssh-key": "used an ssh key of %s", "ftp-password": "used the ftp password of %s",
	"web-upload": "uploaded a script that runs as %s through the web site", "web-exploit": "made the web site run commands as %s", "mail-account": "used the mail account %s",
	"insider": "is where %s usually comes from: either that person or somebody at that machine came in", "supply-chain": "came in with software that was installed", "open-relay": "sent through the mail server, which asks nobody who he is,", "local-script": "did it by a job of the server's own,",
	"web-admin": "entered the site's own administration", "database-exposed": "got in through a database that was open to him", "daemon-exploit": "exploited a network service", "open-share": "wrote over a share that asks for no password",
}

// guessedWords are those of a password that was refused many times before.
var guessedWords = map[string]string{"ftp-password": "guessed the ftp password of %s", "mail-account": "guessed the password of the mail account %s"}

// how words a way in.
func (w *way) how() string {
	s := vectorWords[w.vector]
	if g := guessedWords[w.vector]; w.guessed && g != "" {
		s = g
	}
	switch {
	case w.vector == "ssh-password-guessed":
		return fmt.Sprintf("guessed the %s password of %s", Door(w.service), cmp.Or(w.account, "an account that is not told"))
	case w.vector == "ssh-password-known":
		return fmt.Sprintf("knew the %s password of %s", Door(w.service), cmp.Or(w.account, "an account that is not told"))
	case w.entitled && w.account != "" && (w.vector == "web-admin" || w.vector == "open-share"):
		if w.guessed {
			return fmt.Sprintf("guessed the password of %s for %s", w.account, Door(w.service))
		}
		return fmt.Sprintf("used the password of %s for %s", w.account, Door(w.service))
	case w.before:
		return "logged in as " + w.account + " by a key that nobody was seen to use before, so that it may be stolen or have been put there by another way in,"
	case w.vector == "unknown" && w.login != nil:
		return "logged in as " + w.account + ", by password or key, which cannot be told any more,"
	case w.vector == "unknown":
		return "used a script that " + accountOr(w.account, "somebody") + " owns; how it came cannot be told from this evidence; first"
	case w.vector == "daemon-exploit" && w.service != "":
		return "exploited a fault of the network service " + w.service
	case w.vector == "supply-chain" && w.product != "":
		return "came in with the package " + w.product + ", installed"
	case w.vector == "web-upload" && w.account == "":
		return "uploaded a script through the web site"
	case s == "":
		return "got in by " + w.vector
	case strings.Contains(s, "%s"):
		return fmt.Sprintf(s, cmp.Or(w.account, "an account that is not told"))
	}
	return s
}

// OtherDoor names the service of a way in that stands under ssh's and is another's, for the list of ways in is closed: whatever lets a person in as an
// account has theirs.
func OtherDoor(vector, service string) (door string, ok bool) {
	door = Door(service)
	return door, strings.HasPrefix(vector, "ssh-") && door != "ssh"
}

// Door names what a password opened.
func Door(service string) string {
	switch service {
	case "", "sshd-session", "sshd", "dropbear":
		return "ssh"
	case "login", "remote", "telnetd", "in.telnetd", "rlogin", "rlogind", "rshd":
		return "telnet or rlogin"
	case "xrdp-sesman", "gdm", "lightdm", "sddm":
		return "desktop"
	case "whostmgrd":
		return "WHM"
	case "pveproxy", "pvedaemon":
		return "Proxmox"
	case "cpaneld", "cpanel":
		return "cPanel"
	case "smbd":
		return "the file share"
	}
	return service
}

// accountOr names an account so that it cannot be read as a word: there is one that is called nobody.
func accountOr(account, none string) string {
	if account == "" {
		return none
	}
	return "the account " + account
}

// atTime is clock, within a sentence.
func atTime(t evidence.Time) string {
	if !t.Known() {
		return clock(t)
	}
	return "at " + clock(t)
}

// summary is three sentences: how they got in, what they did, whether root is lost.
func (b *builder) summary() string {
	switch b.s.Verdict.Status {
	case Compromised:
		return strings.Join(append(b.cameIn(), b.whatTheyDid()...), " ") + b.apartWords()
	case Attacked:
		return "Somebody tries to get in, and there is no sign that anybody did. " + b.tries()
	case Clean:
		return "Nothing in the evidence speaks of an intruder. The logs and files that would show one were read. This is no proof: an intruder who left no trace cannot be seen."
	}
	if len(b.entered) > 0 {
		return b.doubtedEntry()
	}
	return b.untold()
}

// doubtedEntry words a way in of which nothing shows what came of it.
func (b *builder) doubtedEntry() string {
	w := b.entered[0]
	if b.onlyDoubted() {
		return fmt.Sprintf("%s was let in as %s %s after tries that were refused. Who guesses a password leaves that, and so does whoever mistypes his own, or a program with an old one; nothing that only an intruder does was found behind it, so it cannot be told. Ask %s whether that was him.", list(w.sources), w.account, clock(w.first), w.account)
	}
	if s := b.suspects[first(w.sources)]; s != nil && s.doubted && w.vector == "mail-account" {
		return fmt.Sprintf("Much mail was handed in with the password of %s from %s, %s, from where the account had not come before. Whoever stole the password does so, and so does its owner who writes to many from a new place, or by a service that he gave it to. Ask %s whether these mails were meant.", w.account, list(w.sources), clock(w.first), w.account)
	}
	return fmt.Sprintf("It looks as if %s %s %s%s, but nothing that was read shows what came of it, so it cannot be told whether somebody got in. %sWhat speaks for it: %s among the claims.",
		cmp.Or(list(w.sources), "somebody"), w.how(), atTime(w.first), uncertain(w.off), b.shellWords(w.sources), list(w.claims))
}

// untold says why it cannot be told whether there was an intruder, where no way in was found.
func (b *builder) untold() string {
	if ps := b.changedPrograms(); len(ps) > 0 {
		return fmt.Sprintf("Nothing shows how somebody would have got in, but %s. An intruder leaves that, and so does whoever builds a package himself, so it cannot be told which it was.", plural(int64(len(ps)), "program or library is", "programs and libraries are")+" not as the package ships it: "+list(ps))
	}
	if odd := b.oddWords(); odd != "" {
		text := "Nothing shows how somebody would have got in, but this does not belong on a server: " + odd + ". It may have an explanation that only its administrators know, so it cannot be told; if none of them knows it, somebody was there."
		if m := b.complete(); m != "" {
			text += " Not there to be read: " + m + "."
		}
		return text
	}
	if m := b.complete(); m != "" && b.wasAttacked() {
		return "Somebody tries to get in. Nothing that was read shows that anybody did, but this was not there to be read: " + m + ". So it cannot be told. " + b.tries()
	} else if ask := b.askAbout(); m != "" && ask != "" {
		return "Nothing that was read is beyond doubt an intruder's, and this was not there to be read: " + m + ". So it cannot be told whether there was one. " + ask
	} else if m != "" {
		return "Nothing that was read speaks of an intruder, but this was not there to be read: " + m + ". So it cannot be told whether there was one."
	}
	return "It cannot be told from this evidence whether there was an intruder."
}

// cameIn words who came in first, how and when.
func (b *builder) cameIn() []string {
	if len(b.entered) == 0 {
		return []string{b.signWords()}
	}
	w := b.entered[0]
	s := []string{fmt.Sprintf("%s %s %s%s.", cmp.Or(upper(list(w.sources)), "Somebody"), w.how(), atTime(w.first), uncertain(w.off))}
	if n := len(b.entered) - 1; n > 0 {
		s = append(s, more(n)+" told below.")
	}
	return s
}

// whatTheyDid words what they did, and whether root is lost.
func (b *builder) whatTheyDid() []string {
	var did []string
	if n := b.s.WaysBack(); n > 0 {
		did = append(did, "left "+plural(int64(n), "way", "ways")+" to come back")
	}
	for i := range b.s.Impact {
		if w := b.harmWords(&b.s.Impact[i]); w != "" {
			did = append(did, w)
		}
	}
	if n := len(b.s.Altered) - b.unasked; n > 0 {
		did = append(did, "tampered with "+plural(int64(n), "log or file", "logs and files"))
	}
	if len(did) == 0 {
		return []string{b.rootWords()}
	}
	who := "The intruder "
	if len(b.entered) > 1 {
		who = "They "
	}
	return []string{who + list(did) + ".", b.rootWords()}
}

// harmWords words one kind of harm, "" for one that has no words of its own.
func (b *builder) harmWords(i *Impact) string {
	switch {
	case b.seenCalling(i) && i.What == "spam":
		return "left a program running that hands mail to " + plural(i.Count, "server", "servers")
	case b.seenCalling(i):
		return "left a program running that reaches out to " + plural(i.Count, "machine", "machines")
	case i.What == "scan":
		return "scanned others as " + i.By
	case i.What == "defacement":
		return "put " + i.Counted() + " of his own in the place of the site's"
	case i.What == "ransom" && i.Unit == "databases":
		return "emptied " + i.Counted() + " and left a demand for ransom"
	case i.What == "ransom" && i.Count == 0:
		return "left a note that asks for ransom"
	case i.What == "ransom":
		return "left a note that asks ransom for " + i.Detail
	case i.What == "spam":
		return fmt.Sprintf("sent %d mails as %s", i.Count, i.By)
	}
	return ""
}

// uncertain words by how much a time may be off.
func uncertain(seconds float64) string {
	switch {
	case seconds >= 300*24*3600:
		return " (its log names no year, and nothing else does: the year is a guess)"
	case seconds >= 3600:
		return fmt.Sprintf(" (by the server's own clock, whose zone is not known: up to %.0f hours off)", seconds/3600)
	}
	return ""
}

func more(n int) string {
	if n == 1 {
		return "One more way in is"
	}
	return fmt.Sprintf("%d more ways in are", n)
}

// maxTried bounds the attacks on the web site that the summary names: every public server sees dozens.
const maxTried = 3

func (b *builder) tries() string {
	var n int64
	addresses := 0
	for _, f := range b.by[detect.Guessing] {
		n += f.Count
		if f.Source != "" {
			addresses++
		}
	}
	var parts []string
	if n > 0 {
		parts = append(parts, fmt.Sprintf("%d refused logins", n))
	}
	if k := len(b.by[detect.WebScan]); k > 0 {
		parts = append(parts, plural(int64(k), "scan of the web site", "scans of the web site"))
	}
	most := slices.Clone(b.by[detect.WebAttack])
	slices.SortStableFunc(most, func(x, y *detect.Finding) int { return cmp.Compare(y.Count, x.Count) })
	for i, f := range most {
		if i == maxTried {
			parts = append(parts, plural(int64(len(most)-i), "other kind of attack on the web site", "other kinds of attacks on the web site"))
			break
		}
		parts = append(parts, f.Title)
	}
	if len(parts) == 0 {
		return ""
	}
	return "Seen: " + strings.Join(parts, "; ") + "."
}
