package sigma

import (
	"slices"
	"strconv"
	"strings"
)

// expr is a node of what a rule asks of one record.
type expr interface {
	holds(r *record) bool
	// literals gives words of which at least one stands in every record for which the node holds; ok is false where there are none.
	literals() (words []string, ok bool)
}

type (
	andExpr []expr
	orExpr  []expr
	notExpr struct{ of expr }
)

func (e andExpr) holds(r *record) bool {
	for _, x := range e {
		if !x.holds(r) {
			return false
		}
	}
	return true
}

func (e orExpr) holds(r *record) bool {
	for _, x := range e {
		if x.holds(r) {
			return true
		}
	}
	return false
}

func (e notExpr) holds(r *record) bool { return !e.of.holds(r) }

// literals of an "and" are those of the part whose words are the least likely: the shortest of them is the longest.
func (e andExpr) literals() (best []string, ok bool) {
	for _, x := range e {
		if w, has := x.literals(); has && (!ok || shortest(w) > shortest(best)) {
			best, ok = w, true
		}
	}
	return best, ok
}

func (e orExpr) literals() (all []string, ok bool) {
	for _, x := range e {
		w, has := x.literals()
		if !has {
			return nil, false
		}
		all = append(all, w...)
	}
	return all, len(e) > 0
}

func (e notExpr) literals() ([]string, bool) { return nil, false }

func shortest(words []string) int {
	n := 1 << 30
	for _, w := range words {
		n = min(n, len(w))
	}
	return n
}

// maxDepth bounds parentheses and nested lists.
const maxDepth = 32

// condition reads "selection and not (filter1 or 1 of filter_*)".
func condition(text string, searches map[string]expr) (expr, error) {
	p := &conditionParser{searches: searches}
	text = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	p.words = strings.Fields(text)
	if len(p.words) > 1000 {
		return nil, refuse("its condition has %d words", len(p.words))
	}
	e, err := p.or(0)
	if err == nil && p.at < len(p.words) {
		err = refuse("its condition has %q where it should end", p.words[p.at])
	}
	return e, err
}

type conditionParser struct {
	words    []string
	at       int
	searches map[string]expr
}

func (p *conditionParser) next(word string) bool {
	if p.at < len(p.words) && strings.EqualFold(p.words[p.at], word) {
		p.at++
		return true
	}
	return false
}

func (p *conditionParser) or(depth int) (expr, error) {
	list, err := p.chain("or", depth, p.and)
	if len(list) == 1 {
		return list[0], nil
	}
	return orExpr(list), err
}

func (p *conditionParser) and(depth int) (expr, error) {
	list, err := p.chain("and", depth, p.not)
	if len(list) == 1 {
		return list[0], nil
	}
	return andExpr(list), err
}

// chain reads what words of one kind join.
func (p *conditionParser) chain(word string, depth int, one func(depth int) (expr, error)) (list []expr, err error) {
	for {
		e, err := one(depth)
		if err != nil {
			return nil, err
		}
		if list = append(list, e); !p.next(word) {
			return list, nil
		}
	}
}

func (p *conditionParser) not(depth int) (expr, error) {
	if depth > maxDepth {
		return nil, refuse("its condition is nested more than %d deep", maxDepth)
	}
	switch {
	case p.next("not"):
		e, err := p.not(depth + 1)
		return notExpr{e}, err
	case p.next("("):
		e, err := p.or(depth + 1)
		if err == nil && !p.next(")") {
			err = refuse("a parenthesis of its condition is not closed")
		}
		return e, err
	}
	return p.term()
}

// term reads a search's name, "1 of them", "all of selection*".
func (p *conditionParser) term() (expr, error) {
	if p.at >= len(p.words) {
		return nil, refuse("its condition ends early")
	}
	w := p.words[p.at]
	p.at++
	if p.at+1 < len(p.words) && strings.EqualFold(p.words[p.at], "of") {
		p.at += 2
		return p.of(w, p.words[p.at-1])
	}
	if e, ok := p.searches[w]; ok {
		return e, nil
	}
	return nil, refuse("its condition names %q, which is not there", w)
}

func (p *conditionParser) of(quantity, pattern string) (expr, error) {
	var list []expr
	names := []string{}
	for name := range p.searches {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if pattern == "them" && !strings.HasPrefix(name, "_") || pattern != "them" && newGlob(pattern, true).match([]byte(name)) {
			list = append(list, p.searches[name])
		}
	}
	if len(list) == 0 {
		return nil, refuse("its condition names %q, and nothing is called so", pattern)
	}
	switch n, err := strconv.Atoi(quantity); {
	case strings.EqualFold(quantity, "all"):
		return andExpr(list), nil
	case strings.EqualFold(quantity, "any"), n == 1 && err == nil:
		return orExpr(list), nil
	case err == nil && n > 1 && n <= len(list):
		return atLeast{n, list}, nil
	}
	return nil, refuse("%q of %s", quantity, pattern)
}

// atLeast holds where so many of the list do.
type atLeast struct {
	n    int
	list []expr
}

func (e atLeast) holds(r *record) bool {
	n := 0
	for _, x := range e.list {
		if x.holds(r) {
			n++
		}
	}
	return n >= e.n
}

func (e atLeast) literals() ([]string, bool) { return orExpr(e.list).literals() }
