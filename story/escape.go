package story

import (
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// byEscape finds who came to an account from where it never came before, and made a program that sudo lets it run as root give him a shell: who may have one asks for it.
func (b *builder) byEscape() {
	for _, r := range b.by[detect.BecameRoot] {
		if r.As != "root" || !escapes(r.Runs) {
			continue
		}
		for _, l := range b.logins() {
			if l.Account != r.Account || !shellService(l.Service) || l.Source == "" || b.suspects[l.Source] != nil || !l.Access.Unfamiliar() || b.origin(l.Source) != "external" {
				continue
			}
			if !during(l, r) {
				continue
			}
			text := fmt.Sprintf("While %s was logged in from %s, an address that the account had not come from before, a program that sudo lets it run was made to give a shell of root's: %s.", l.Account, l.Source, r.Runs)
			b.add(l.Source, b.claim(text, evidence.Effect, r.First, Likely, append(append([]evidence.Quote{}, r.For...), l.For...), nil), false)
		}
	}
}

// shells are the shells as such a command names them.
var shells = []string{"/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/bash", "/usr/bin/sh", "sh", "bash"}

// escapes tells a command line by which a program that is no shell starts one, and has it do nothing else: "find . -exec /bin/sh ;", "vim -c :!/bin/sh". A shell that is given
// something to do, as in "find -exec sh -c 'mv ...'", is ordinary.
func escapes(command string) bool {
	name, _, _ := strings.Cut(command, " ")
	name = strings.TrimRight(name[strings.LastIndexByte(name, '/')+1:], "0123456789.")
	w := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t'\"();{}\\", r) })
	bare := func(i int) bool { // a shell at i that is given nothing to do
		return i < len(w) && slices.Contains(shells, w[i]) && (i+1 == len(w) || w[i+1] == "-p" || w[i+1] == "-i" || w[i+1] == "-quit" || w[i+1] == "+")
	}
	starts := func(words ...string) bool {
		return slices.ContainsFunc(words, func(x string) bool { return strings.Contains(command, x) }) && slices.IndexFunc(w, func(x string) bool { return slices.Contains(shells, x) }) > 0 && bare(slices.IndexFunc(w, func(x string) bool { return slices.Contains(shells, x) }))
	}
	switch name {
	case "find":
		i := slices.IndexFunc(w, func(x string) bool { return x == "-exec" || x == "-execdir" || x == "-ok" })
		return i > 0 && !strings.Contains(command, "{}") && bare(i+1)
	case "vi", "vim", "view", "rvim", "vim.basic", "less", "more", "man", "ed", "nano":
		return slices.ContainsFunc(w, func(x string) bool {
			x, ok := strings.CutPrefix(strings.TrimPrefix(x, ":"), "!")
			return ok && slices.Contains(shells, x)
		})
	case "awk", "gawk", "mawk":
		return starts("system(")
	case "perl", "python", "ruby", "lua", "php":
		return starts("exec", "system", "spawn", "popen")
	case "tar":
		return strings.Contains(command, "checkpoint-action=exec=")
	}
	return false
}
