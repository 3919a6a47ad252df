package brief

import (
	"telltale/report"
)

func where(d *report.Document) Answer {
	a := Answer{Question: Where}
	all, e := addresses(d), entry(d)
	n := 0
	if e != nil {
		n = len(e.Sources)
	}
	switch {
	case len(all) == 0:
		a.Why = "no record of the entry names an address"
		return a
	case n == 0:
		a.Why = "no record of the entry names an address; also acted: " + list(all, 4)
		return a
	}
	a.Text, a.Status, a.Claims = list(e.Sources, 4), e.Status, e.Claims
	for i := range d.Actors {
		if n := d.Actors[i].Networks; len(n) > 0 {
			a.Text += " (" + list(n, 2) + ")"
			break
		}
	}
	a.Why = also("also acted: ", all, e.Sources)
	for i := range d.Actors {
		if o := d.Actors[i].Origin; o == "internal" || o == "near" {
			a.Why = join(a.Why, "an address of your own or a near network is among them")
			break
		}
	}
	return a
}

// also names what of a list is not among the first.
func also(word string, all, first []string) string {
	var rest []string
	told := make(map[string]bool, len(first))
	for _, s := range first {
		told[s] = true
	}
	for _, s := range all {
		if !told[s] {
			rest = append(rest, s)
		}
	}
	if len(rest) == 0 {
		return ""
	}
	return word + list(rest, 4)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// addresses gives those of the ways in first, then the others.
func addresses(d *report.Document) []string {
	var all []string
	for i := range d.Entry {
		all = append(all, d.Entry[i].Sources...)
	}
	for i := range d.Actors {
		all = append(all, d.Actors[i].Sources...)
	}
	return distinct(all)
}

func whom(d *report.Document) Answer {
	a := Answer{Question: Whom}
	e := entry(d)
	var all, first []string
	if e != nil && e.Account != "" {
		first = []string{e.Account}
		a.Text, a.Status, a.Claims = e.Account, e.Status, e.Claims
	} else {
		a.Why = "no trace of the entry names the account"
	}
	for i := range d.Entry {
		all = append(all, d.Entry[i].Account)
	}
	for i := range d.Actors {
		all = append(all, d.Actors[i].Accounts...)
	}
	all = distinct(all)
	a.Why = join(join(a.Why, also("also acted as ", all, first)), lower(Root(d)))
	return a
}

// distinct drops what is empty or stands twice.
func distinct(in []string) (out []string) {
	seen := map[string]bool{"": true}
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
