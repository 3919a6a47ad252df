package story

import (
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// rootByTraces finds that root was lost by what the intruder got hold of, where no login and no command shows it: he came in as root, or what he left runs
// as root or lets root in, which only root can set up. It stands behind the weighing: a way in is not judged by what its effects allow.
func (b *builder) rootByTraces() {
	if b.root {
		return
	}
	for i := range b.entered {
		w := &b.entered[i]
		if w.account == "root" && !w.ownAccount() && w.status != Possible && len(w.claims) > 0 {
			b.becameRoot(w.claims[0])
			return
		}
	}
	for i := range b.s.Persistence {
		if p := &b.s.Persistence[i]; p.asRoot() && b.s.sure(p.Claims) {
			b.becameRoot(p.Claims[0])
			return
		}
	}
	if id := b.ofRoot(); id != "" {
		b.becameRoot(id)
	}
}

// needsRoot tells something that nobody but root can leave: what belongs to root, lies where only root writes, or changes who is root, the kernel or a package's programs.
func (b *builder) needsRoot(f *detect.Finding) bool {
	switch f.What {
	case detect.Process, detect.Persistence:
		return f.Account == "root" || f.As == "root" || f.Mechanism == "ld-preload" && f.Path == "/etc/ld.so.preload"
	case detect.Command:
		return f.Account == "root"
	case detect.AccountOdd:
		return f.As == "0"
	case detect.PackageDiff:
		return f.Level >= detect.High
	case detect.Container: // whoever gives a container the host's own files may do anything there
		return contains(f.Attack, "T1611")
	case detect.OddFile:
		switch {
		case f.Detection == "D53": // a root-kit in the kernel
			return true
		case f.Account != "" && b.set.ChangeTimes: // owners are those of the server
			return f.Account == "root" && f.Mechanism != "locked"
		}
		return ofSystem(f.Path)
	}
	return false
}

// ofSystem tells a path where only root writes, as every distribution sets it up.
func ofSystem(p string) bool {
	for _, dir := range []string{"/lib/", "/lib32/", "/lib64/", "/bin/", "/sbin/", "/usr/lib/", "/usr/lib32/", "/usr/lib64/", "/usr/libexec/", "/usr/bin/", "/usr/sbin/", "/usr/include/", "/usr/share/", "/usr/local/bin/", "/usr/local/sbin/", "/usr/local/lib/", "/etc/", "/boot/", "/root/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return strings.Count(p, "/") == 1 || strings.HasPrefix(p, "/dev/") && !strings.HasPrefix(p, "/dev/shm/") && !strings.HasPrefix(p, "/dev/mqueue/")
}

// ownAccount tells a way in whose accounts are a service's own: its root is not the system's, and opens no files.
func (w *way) ownAccount() bool {
	return w.vector == "mail-account" || w.vector == "database-exposed" || w.vector == "web-admin" && !shellService(w.service)
}

// ofRoot are files that only root can have put where they lie: a program that runs as root for whoever starts it, a system's own program that was replaced.
func (b *builder) ofRoot() string {
	for _, w := range []detect.What{detect.AccountMade, detect.AccountOdd} {
		for _, f := range b.by[w] {
			if id := b.told[f]; secondRoot(f) && id != "" && contains(b.effect, id) {
				return id // who can write it
			}
		}
	}
	for _, w := range []detect.What{detect.OddFile, detect.PackageDiff} {
		for _, f := range b.by[w] {
			his, ok := b.laid(f)
			if !ok {
				continue
			}
			id := b.told[f]
			if his && (w == detect.PackageDiff || f.Level >= detect.Critical && b.needsRoot(f)) || setuid(f) { // root's own jobs run within sessions, too
				return id
			}
		}
	}
	return ""
}

// laid tells whether something grave is laid to the intruder: it is his by what he did, or nobody else leaves it and it was not there before him.
func (b *builder) laid(f *detect.Finding) (his, ok bool) {
	id := b.told[f]
	his = contains(b.effect, id) && b.s.sure([]string{id})
	return his, id != "" && f.Level >= detect.High && (his || f.Level >= detect.Critical && f.Explained == "" && !b.before(f))
}

// before tells whether a file was there before the first way in: then it is somebody else's.
func (b *builder) before(f *detect.Finding) bool {
	var entered evidence.Time
	for i := range b.entered {
		entered = evidence.Min(entered, b.entered[i].first)
	}
	last := evidence.Max(f.First, f.Last)
	return entered.Known() && (!last.Known() || last.Before(entered.Add(-grace)))
}

// asRoot tells what only root can have left. A script that a web server runs is asked for, and may lie where another account writes.
func (p *Persistence) asRoot() bool { return p.As == "root" && p.Mechanism != "web-shell" }

// sure tells whether one of the claims is more than possible.
func (s *Story) sure(claims []string) bool {
	for i := range s.Claims {
		if c := &s.Claims[i]; contains(claims, c.ID) && (c.Status == Confirmed || c.Status == Likely) {
			return true
		}
	}
	return false
}

// rootWords says whether root is lost, as the last sentence of a summary.
func (b *builder) rootWords() string {
	switch {
	case b.root && b.s.Verdict.Confidence == Possible:
		return "What was found acts as root: unless somebody entitled set it up, root is lost, nothing on this server can be trusted, and it must be rebuilt."
	case b.root:
		return "Root was reached: nothing on this server can be trusted, so rebuild it."
	}
	return "No sign was found that root was reached; that is no proof that it was not."
}
