package story

import "strings"

// machines gives the names of the machines that claims quote, in the order in which they are quoted.
func (b *builder) machines(claims []string) (names []string) {
	for i := range b.s.Claims {
		c := &b.s.Claims[i]
		if !contains(claims, c.ID) {
			continue
		}
		for j := range c.For {
			names = ids(append(names, utf8(b.set.Machines[c.For[j].Source]))...)
		}
	}
	return names
}

// apart tells on which machines something is held against an intruder, and on which nothing is, where several were examined.
func (b *builder) apart() (on, off []string) {
	all := map[string]bool{}
	for _, name := range b.set.Machines {
		all[name] = true
	}
	if len(all) < 2 {
		return nil, nil
	}
	for id := range b.s.Against() {
		on = ids(append(on, b.machines([]string{id})...)...)
	}
	sortBy(on, func(x, y string) bool { return x < y })
	for name := range all {
		if name = utf8(name); !contains(on, name) {
			off = ids(append(off, name)...)
		}
	}
	sortBy(off, func(x, y string) bool { return x < y })
	return on, off
}

// here names the server that a step or a sentence is about: by its name where there are others that it could be.
func (b *builder) here() string {
	if on, _ := b.apart(); len(on) > 0 {
		return strings.TrimSpace(plainServer(len(on)) + " " + list(on))
	}
	return "the server"
}

func plainServer(n int) string {
	if n > 1 {
		return "the servers"
	}
	return "the server"
}

// apartWords says which of several machines it is about, as the end of a summary.
func (b *builder) apartWords() string {
	on, off := b.apart()
	if len(on) == 0 {
		return ""
	}
	s := " All of this was seen on " + list(on) + "."
	if len(off) > 0 {
		s += " Of " + list(off) + " nothing is held against an intruder."
	}
	return s
}

// untouched tells whether a machine is one of several on which nothing is held against an intruder: what lies there, he is not known to have read.
func (b *builder) untouched(source string) bool {
	_, off := b.apart()
	return contains(off, utf8(b.set.Machines[source]))
}
