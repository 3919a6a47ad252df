package story

import "cmp"

// stays tells something that lets the intruder come back, once: an entry at two times of day, which runs the same, is one.
func (b *builder) stays(p Persistence) {
	for i := range b.s.Persistence {
		x := &b.s.Persistence[i]
		if x.Mechanism == p.Mechanism && x.Path == p.Path && x.Runs == p.Runs && x.As == p.As {
			x.Claims = ids(append(x.Claims, p.Claims...)...)
			return
		}
	}
	b.s.Persistence = append(b.s.Persistence, p)
}

// WaysBack counts the ways to come back: lines of one file that are run for one account are one, for they came and go together.
func (s *Story) WaysBack() int {
	type way struct{ mechanism, path, as string }
	seen := map[way]bool{}
	for _, p := range s.Persistence {
		seen[way{p.Mechanism, p.Path, p.As}] = true
	}
	return len(seen)
}

// onceEach tells each act once: what two lines of a log or two findings say of one second is one act, on both.
func onceEach(acts []Action) []Action {
	type act struct{ what, time, account, path string }
	at := map[act]int{}
	out := acts[:0]
	for _, a := range acts {
		k := act{a.What, a.Time, a.Account, a.Path}
		i, ok := at[k]
		if !ok || a.Time == "" { // two of which no time is known may be two
			at[k] = len(out)
			out = append(out, a)
			continue
		}
		out[i].Claims = ids(append(out[i].Claims, a.Claims...)...)
		out[i].Attack = cmp.Or(out[i].Attack, a.Attack)
	}
	return out
}
