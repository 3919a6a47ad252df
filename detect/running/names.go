package running

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"telltale/event"
)

// named is an account's name for its number, as a source tells it that is no list of accounts.
type named struct{ uid, name, source string }

// maxNamed bounds the names that are learned. A log may be crafted to hold very many.
const maxNamed = 10_000

// learn notes the name that a log gives a number: "session opened for user alice(uid=1000)".
func (f *fold) learn(e *event.Event) {
	n := named{e.Text(event.UserID), e.Text(event.UserName), e.Ref.Source}
	if n.uid == "" || n.name == "" || f.named[n] || len(f.named) >= maxNamed {
		return
	}
	f.named[n] = true
	f.names[n.uid] = append(f.names[n.uid], n)
}

// account gives the name of a number as the machine of a process knows it, "" where nothing tells it, or several tell different ones. Where nobody's list of
// accounts was read, root is root all the same, and the server of a login tells for whom it is: its own process bears the name, and root's alone may set it.
func (f *fold) account(p *process, uid string) string {
	if name := f.scene.UserByUID(uid); name != "" || uid == "" {
		return name
	}
	if uid == "0" {
		return "root"
	}
	only := ""
	for _, n := range f.names[uid] {
		switch {
		case !f.scene.SameMachine(p.source, n.source):
		case only != "" && only != n.name:
			return ""
		default:
			only = n.name
		}
	}
	return only
}

// titles learns names of the processes of ssh's server: beneath one of root's that calls itself "sshd: alice [priv]" runs alice's own.
func (f *fold) titles() {
	for _, p := range f.order {
		if p.uid == "" || p.uid == "0" || p.container != "" || !sshServer(p) {
			continue
		}
		top := f.procs[key(p.source, p.ppid)]
		if top == nil || top.uid != "0" || !sshServer(top) {
			continue
		}
		_, title, _ := strings.Cut(top.command, ": ")
		name, ok := strings.CutSuffix(strings.TrimSpace(title), " [priv]")
		n := named{p.uid, name, p.source}
		if ok && name != "" && !strings.ContainsAny(name, " \t") && !f.named[n] && len(f.named) < maxNamed {
			f.named[n] = true
			f.names[n.uid] = append(f.names[n.uid], n)
		}
	}
}

func sshServer(p *process) bool {
	return slices.Contains(servers["sshd"], path.Base(p.exe)) && strings.HasPrefix(p.exe, "/usr/")
}

// nameAll gives the processes the names of their accounts, once all that tells them was read.
func (f *fold) nameAll() {
	f.titles()
	for _, p := range f.order {
		if p.user == "" || p.user == p.uid {
			p.user = cmp.Or(f.account(p, p.uid), p.uid)
		}
	}
}
