package logins

import (
	"cmp"
	"slices"

	"telltale/event"
)

// witnesses are syslog's files, the journal, the audit log, and what PAM says where it speaks for itself.
const witnesses = 4

// tally counts what each witness tells apart: they tell the same events, so the largest count is the true one, and an
// edited file does not make it smaller.
type tally [witnesses]int64

func (t tally) n() int64 { return slices.Max(t[:]) }

func class(e *event.Event) int {
	switch string(e.Get(event.Transport)) {
	case "journal":
		return 1
	case "audit":
		return 2
	case "pam": // where sshd tells of the same tries in another file
		return 3
	}
	return 0
}

// names counts by name. There are few of an address, so a list is faster and smaller than a map.
type names []named

type named struct {
	name string
	tally
}

func (ns *names) add(name string, class int, n int64, most int) {
	for i := range *ns {
		if (*ns)[i].name == name {
			(*ns)[i].tally[class] += n
			return
		}
	}
	if len(*ns) < most {
		x := named{name: name}
		x.tally[class] = n
		*ns = append(*ns, x)
	}
}

func (ns names) of(name string) tally {
	for i := range ns {
		if ns[i].name == name {
			return ns[i].tally
		}
	}
	return tally{}
}

// list gives the names, the most frequent first.
func (ns names) list() []string {
	sorted := slices.Clone(ns)
	slices.SortFunc(sorted, func(a, b named) int {
		if c := cmp.Compare(b.n(), a.n()); c != 0 {
			return c
		}
		return cmp.Compare(a.name, b.name)
	})
	out := make([]string, 0, len(sorted))
	for _, x := range sorted {
		if x.name != "" {
			out = append(out, x.name)
		}
	}
	return out
}
