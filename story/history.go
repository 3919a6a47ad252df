package story

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// byHistory finds who typed what hardly anybody types, where the history has no times: a shell writes its history when
// it ends, so the session that ended then wrote its last lines; and a command that fetches from the very address of a
// login is that login's. One such command alone is not enough.
func (b *builder) byHistory() {
	byAccount := map[string][]*detect.Finding{}
	for _, f := range b.by[detect.Command] {
		if f.Mechanism == "history" && !f.First.Known() && f.Level >= detect.Medium {
			byAccount[f.Account] = append(byAccount[f.Account], f)
		}
	}
	for _, l := range b.logins() {
		typed := byAccount[l.Account]
		if len(typed) < 2 || !grave(typed) || !shellService(l.Service) || l.Source == "" || b.suspects[l.Source] != nil || !l.Access.Unfamiliar() || b.origin(l.Source) != "external" {
			continue
		}
		why := fetchedFrom(typed, l.Source)
		if why == "" {
			why = wroteLast(typed[0], l)
		}
		if why == "" {
			continue
		}
		quotes := append([]evidence.Quote{}, l.For...)
		var words []string
		for _, f := range typed {
			quotes = append(quotes, f.For...)
			words = append(words, f.Runs)
		}
		text := fmt.Sprintf("%s logged in as %s from an address that the account had not come from before, and %s. The history holds: %s.", l.Source, l.Account, why, list(words))
		id := b.claim(text, evidence.Effect, l.First, Likely, quotes, nil)
		if !foreign(typed) && fetchedFrom(typed, l.Source) == "" {
			b.doubt(l.Source, id)
			continue
		}
		b.effect = ids(append(b.effect, id)...)
		b.add(l.Source, id, false)
	}
}

func grave(fs []*detect.Finding) bool {
	for _, f := range fs {
		if f.Level >= detect.High {
			return true
		}
	}
	return false
}

// fetchedFrom tells that a command names the login's own address as where to fetch from.
func fetchedFrom(fs []*detect.Finding, source string) string {
	for _, f := range fs {
		if i := strings.Index(f.Runs, "://"+source); i >= 0 && !strings.HasPrefix(f.Runs[i+3+len(source):], ".") {
			return "a command of that account's history fetches from the same address"
		}
	}
	return ""
}

// wroteLast tells that the history was last written when a session of the login ended.
func wroteLast(f *detect.Finding, l *detect.Finding) string {
	if len(f.When) == 0 {
		return ""
	}
	for _, s := range l.Access.Sessions {
		if d := f.When[0].Sub(s.End); s.End.Known() && d >= -5*time.Second && d <= 30*time.Second {
			return "that account's history was last written when this session ended, " + clock(s.End)
		}
	}
	return ""
}

// keepsAside tells a command that writes, reads or packs a file with a hidden name, and runs none that has one: people put their own dumps out of sight, too.
func keepsAside(f *detect.Finding) bool {
	p, ok := strings.CutPrefix(f.Detail, "uses the hidden path ")
	if !ok || f.Level >= detect.Critical {
		return false
	}
	w := strings.Fields(f.Runs)
	i := slices.IndexFunc(w, func(x string) bool { return strings.Contains(x, p) })
	return i > 0 && slices.Contains(keepers, path.Base(w[0])) && !strings.ContainsAny(f.Runs, ";&|$`(")
}

// keepers are programs that write, read and pack files and run nothing.
var keepers = []string{"mysqldump", "pg_dump", "pg_dumpall", "gzip", "gunzip", "bzip2", "xz", "zstd", "ls", "less", "more", "cat", "head", "tail", "wc", "du", "stat", "file", "grep", "zcat", "zgrep", "md5sum", "sha256sum", "diff", "vi", "vim", "nano"}

// foreign tells whether something of what was typed is more than to make room for logs, to set times, to leave no history, to install what a host with a name gives and to empty disks: people do that, too. Who empties them and removes what he typed is none of those.
func foreign(fs []*detect.Finding) bool {
	forgets := slices.ContainsFunc(fs, func(f *detect.Finding) bool { return strings.HasPrefix(f.Detail, "removes the shell's history") })
	return slices.ContainsFunc(fs, func(f *detect.Finding) bool {
		installs := f.Detection == "D36" && f.Level < detect.Critical && strings.HasPrefix(f.Detail, "runs code that it fetches") // from a host with a name
		return !installs && !keepsAside(f) && (forgets || !destroysAll(f)) && f.Detection != "D58" && f.Detection != "D61" && (f.Detection != "D62" || f.Level >= detect.High) && f.Detection != "D67"
	})
}
