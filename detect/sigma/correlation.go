package sigma

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"telltale/evidence"
)

// correlation is a rule over the hits of others: so many in a time, of so many values, or all of several rules.
type correlation struct {
	kind    string // "event_count", "value_count", "temporal", "temporal_ordered"
	rules   []string
	groupBy []string
	field   string // whose values are counted
	span    time.Duration
	least   int
	loud    bool // the rules that it rests on speak for themselves, too
	of      map[*Rule]*reading
}

// reading is how the hits of one rule are read for a correlation.
type reading struct {
	index int
	group []field
	value field
}

// group is the state of one group: the newest hits.
type group struct {
	at     []evidence.Time // event_count: of the last hits; temporal: of the last hit of each rule
	next   int
	values map[string]evidence.Time
	hit    bool
}

// Bounds of what correlations keep.
const (
	maxGroups = 100_000
	maxLeast  = 10_000
	maxValues = 20_000
)

// correlate reads a correlation.
func correlate(c map[string]any) (*correlation, error) {
	x := &correlation{kind: fmt.Sprint(c["type"]), least: 1, of: map[*Rule]*reading{}}
	x.rules, x.groupBy = texts(c["rules"]), texts(c["group-by"])
	x.loud, _ = c["generate"].(bool)
	var err error
	if x.span, err = span(c["timespan"]); err != nil {
		return nil, err
	}
	if len(x.rules) == 0 || len(x.rules) > 50 {
		return nil, refuse("a correlation of %d rules", len(x.rules))
	}
	switch x.kind {
	case "temporal", "temporal_ordered":
		return x, nil
	case "event_count", "value_count":
	default:
		return nil, refuse("a correlation of the type %q is not known", x.kind)
	}
	cond, ok := c["condition"].(map[string]any)
	if !ok {
		return nil, refuse("a correlation without a condition")
	}
	for op, v := range cond {
		n, err := strconv.Atoi(fmt.Sprint(v))
		switch {
		case op == "field":
			x.field = fmt.Sprint(v)
		case err != nil:
			return nil, refuse("a correlation's condition %s: %v", op, v)
		case op == "gte" || op == "eq":
			x.least = n
		case op == "gt":
			x.least = n + 1
		default:
			return nil, refuse("a correlation's condition %q cannot be told from a log with an end", op)
		}
	}
	if x.least < 1 || x.least > maxLeast || x.kind == "value_count" && x.field == "" {
		return nil, refuse("a correlation of %d", x.least)
	}
	return x, nil
}

func texts(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var out []string
		for _, y := range x {
			out = append(out, fmt.Sprint(y))
		}
		return out
	}
	return nil
}

// span reads "15m", "24h", "7d".
func span(v any) (time.Duration, error) {
	s, _ := v.(string)
	if s == "" {
		return 0, refuse("it has no time span")
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'M': 30 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}[s[len(s)-1]]
	n, err := strconv.Atoi(s[:len(s)-1])
	if err != nil || unit == 0 || n < 1 || n > 100_000 {
		return 0, refuse("the time span %q", s)
	}
	return time.Duration(n) * unit, nil
}

// aggregation reads the old form behind a condition: "count(field) by other > 3".
func aggregation(text string, timeframe any) (*correlation, error) {
	x := &correlation{kind: "event_count", of: map[*Rule]*reading{}, span: 365 * 24 * time.Hour}
	w := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", ">=", " >= ", ">", " > ", "> =", ">=").Replace(text))
	if len(w) < 5 || w[0] != "count" || w[1] != "(" {
		return nil, refuse("its condition ends in %q", strings.TrimSpace(text))
	}
	w = w[2:]
	if w[0] != ")" {
		x.kind, x.field, w = "value_count", w[0], w[1:]
	}
	if w = w[1:]; len(w) >= 2 && w[0] == "by" {
		x.groupBy, w = []string{w[1]}, w[2:]
	}
	if len(w) == 3 && w[0] == ">" && w[1] == "=" {
		w = []string{">=", w[2]}
	}
	if len(w) != 2 || w[0] != ">" && w[0] != ">=" {
		return nil, refuse("its condition ends in %q", strings.TrimSpace(text))
	}
	n, err := strconv.Atoi(w[1])
	if err != nil || n < 0 || n >= maxLeast {
		return nil, refuse("its condition counts to %q", w[1])
	}
	if x.least = n; w[0] == ">" {
		x.least++
	}
	if timeframe != nil {
		if x.span, err = span(timeframe); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// rest makes the correlation rest on a rule.
func (c *correlation) rest(r *Rule, index int) error {
	v, err := viewOf(r.Source)
	if err != nil {
		return err
	}
	x := &reading{index: index}
	for _, g := range c.groupBy {
		f, ok := v.fieldOf(g)
		if !ok {
			return refuse("it groups by the field %q, which no trace here has", g)
		}
		x.group = append(x.group, f)
	}
	if c.field != "" {
		f, ok := v.fieldOf(c.field)
		if !ok {
			return refuse("it counts the field %q, which no trace here has", c.field)
		}
		x.value = f
	}
	c.of[r] = x
	return nil
}

// saw takes a hit of one of its rules, and tells whether the correlation holds now for the first time for its group, or goes on to.
func (c *correlation) saw(groups map[string]*group, by *Rule, r *record) bool {
	x := c.of[by]
	var key strings.Builder
	for _, f := range x.group {
		for _, v := range f.get(r) {
			key.Write(v[:min(len(v), 256)])
			break
		}
		key.WriteByte(0)
	}
	g := groups[key.String()]
	if g == nil {
		if len(groups) >= maxGroups {
			return false
		}
		g = &group{}
		groups[key.String()] = g
	}
	switch c.kind {
	case "event_count":
		return c.counted(g, r.e.At)
	case "value_count":
		return c.valued(g, x, r)
	}
	return c.together(g, x.index, r.e.At)
}

func (c *correlation) within(a, b evidence.Time) bool {
	d := b.Sub(a)
	return d <= c.span && -d <= c.span
}

// counted keeps the last hits: so many are enough if the oldest of them is near.
func (c *correlation) counted(g *group, at evidence.Time) bool {
	if len(g.at) < c.least {
		g.at = append(g.at, at)
		return len(g.at) == c.least && c.within(g.at[0], at)
	}
	g.at[g.next] = at
	g.next = (g.next + 1) % c.least
	return c.within(g.at[g.next], at)
}

func (c *correlation) valued(g *group, x *reading, r *record) bool {
	if g.values == nil {
		g.values = map[string]evidence.Time{}
	}
	for _, v := range x.value.get(r) {
		if _, ok := g.values[string(v)]; ok || len(g.values) < maxValues {
			g.values[string(v[:min(len(v), 256)])] = r.e.At
		}
		break
	}
	if len(g.values) < c.least {
		return false
	}
	n := 0
	for v, at := range g.values {
		if c.within(at, r.e.At) {
			n++
		} else if len(g.values) > 2*c.least {
			delete(g.values, v)
		}
	}
	return n >= c.least
}

// together keeps the last hit of each rule.
func (c *correlation) together(g *group, index int, at evidence.Time) bool {
	if g.at == nil {
		g.at = make([]evidence.Time, len(c.rules))
	}
	g.at[index] = at
	for i, t := range g.at {
		if !t.Known() || !c.within(t, at) || c.kind == "temporal_ordered" && i > 0 && t.Before(g.at[i-1]) {
			return false
		}
	}
	return true
}
