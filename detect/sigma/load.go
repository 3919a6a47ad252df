package sigma

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Rules are rules that were read, and what was refused.
type Rules struct {
	List    []*Rule
	Refused []Refused
	Unseen  []Refused      // rules that look at what no trace here is
	Absent  map[string]int // the same, by the source that they need
}

// Refused is a rule, or a file of rules, that cannot be used, and why.
type Refused struct{ File, Why string }

// The bounds of a folder of rules.
const (
	maxRules    = 20_000
	maxRuleFile = 1 << 20 // bytes
)

// Load reads every *.yml and *.yaml below a folder. What cannot be read or used is told; only a folder that is not there is an error.
func Load(fsys fs.FS) (*Rules, error) {
	out := &Rules{Absent: map[string]int{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == "." {
				return err
			}
			out.refuse(p, err)
			return nil
		}
		if ext := path.Ext(p); d.IsDir() || ext != ".yml" && ext != ".yaml" {
			return nil
		}
		if len(out.List) >= maxRules {
			out.refuse(p, fmt.Errorf("more than %d rules", maxRules))
			return fs.SkipAll
		}
		if i, err := d.Info(); err == nil && i.Size() > maxRuleFile {
			out.refuse(p, fmt.Errorf("the file has %d bytes, more than %d", i.Size(), maxRuleFile))
			return nil
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			out.refuse(p, err)
			return nil
		}
		rules, bad := parse(p, b)
		out.List = append(out.List, rules...)
		for _, err := range bad {
			out.refuse(p, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.join()
	return out, nil
}

func (rs *Rules) refuse(file string, err error) {
	var absent *ErrSource
	if errors.As(err, &absent) {
		rs.Absent[absent.Needs]++
		rs.Unseen = append(rs.Unseen, Refused{file, err.Error()})
		return
	}
	rs.Refused = append(rs.Refused, Refused{file, strings.Replace(err.Error(), ErrRule.Error()+": ", "", 1)})
}

// Add puts other rules behind these.
func (rs *Rules) Add(others *Rules) *Rules {
	out := &Rules{Absent: map[string]int{}}
	for _, x := range []*Rules{rs, others} {
		out.List = append(out.List, x.List...)
		out.Refused = append(out.Refused, x.Refused...)
		out.Unseen = append(out.Unseen, x.Unseen...)
		for k, n := range x.Absent {
			out.Absent[k] += n
		}
	}
	return out
}

// join finds the rules that correlations rest on, and lets go of what cannot hold.
func (rs *Rules) join() {
	by := map[string]*Rule{}
	for _, r := range rs.List {
		for _, n := range []string{r.ID, r.Name, r.Title} {
			if n != "" && r.matches != nil {
				by[strings.ToLower(n)] = r
			}
		}
	}
	kept := rs.List[:0]
	for _, r := range rs.List {
		if err := r.join(by); err != nil {
			rs.refuse(r.File, fmt.Errorf("%q: %w", r.Title, err))
			continue
		}
		kept = append(kept, r)
	}
	rs.List = kept
	sort.SliceStable(rs.Refused, func(i, j int) bool { return rs.Refused[i].File < rs.Refused[j].File })
}

func (r *Rule) join(by map[string]*Rule) error {
	if r.matches != nil {
		never, err := unknowns(r.matches, false)
		if err != nil {
			return err
		}
		if never {
			return refuse("it asks for fields that no trace here has: %s", strings.Join(unknownNames(r.matches), ", "))
		}
	}
	c := r.correlation
	switch {
	case c == nil:
		return nil
	case r.matches != nil: // the old form: it counts its own hits
		c.rules = []string{r.Title}
		return c.rest(r, 0)
	}
	for i, n := range c.rules {
		base := by[strings.ToLower(n)]
		if base == nil {
			return refuse("it rests on the rule %q, which was not read", n)
		}
		if err := c.rest(base, i); err != nil {
			return err
		}
	}
	for base := range c.of {
		base.quiet = base.quiet || !c.loud
	}
	return nil
}

// unknownNames gives the fields of an expression that are not known here.
func unknownNames(e expr) (out []string) {
	if x, ok := e.(unknownField); ok {
		return []string{x.name}
	}
	for _, y := range parts(e) {
		for _, n := range unknownNames(y) {
			if len(out) < 10 && (len(out) == 0 || out[len(out)-1] != n) {
				out = append(out, n)
			}
		}
	}
	return out
}
