package campaigns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// minShared is how many addresses must go through one list.
const minShared = 5

// lists gives the lists of accounts that several addresses tried in the same order.
func (f *fold) lists() (out []detect.Finding) {
	by := map[uint64][]*client{}
	for _, c := range f.clients {
		if c.tried == sameOrder {
			by[c.order] = append(by[c.order], c)
		}
	}
	var groups [][]*client
	for _, g := range by {
		if len(g) >= minShared {
			slices.SortFunc(g, byFirst)
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(x, y []*client) int { return cmp.Or(cmp.Compare(len(y), len(x)), byFirst(x[0], y[0])) })
	for _, g := range groups[:min(len(groups), 50)] {
		var names []string
		for _, i := range g[0].names {
			if i > 0 {
				names = append(names, f.list[i])
			}
		}
		r := detect.Finding{Detection: "D07", What: detect.Campaign, Level: detect.Low, Rung: evidence.Attempt, Service: g[0].service, Accounts: names, Count: int64(len(g)), Attack: []string{"T1110"},
			Title:  fmt.Sprintf("%d addresses tried the same accounts in the same order", len(g)),
			Detail: strings.Join(names, ", ") + " and so on; one list shared out, so count them as one"}
		gather(&r, g)
		out = append(out, r)
	}
	return out
}

// gather takes times, addresses and quotations of a group.
func gather(r *detect.Finding, g []*client) {
	for _, c := range g {
		r.First, r.Last = evidence.Min(r.First, c.first), evidence.Max(r.Last, c.last)
		if len(r.Sources) < maxListed {
			r.Sources = append(r.Sources, c.ip)
		}
		if len(r.For) < maxQuotes && c.quote != nil {
			r.For = append(r.For, *c.quote)
		}
	}
}

func byFirst(x, y *client) int {
	switch {
	case x.first.Before(y.first):
		return -1
	case y.first.Before(x.first):
		return 1
	}
	return cmp.Compare(x.ip, y.ip)
}

// When an address asks for accounts: that many that do not exist; with mail more, and hardly any mail that was taken, for the servers of
// large providers hand in mail for people who left, too.
const (
	minUnknown = 5
	minRcpt    = 10
)

func (c *client) asks() bool {
	if c.rcpt {
		return c.asked >= minRcpt && int64(c.asked) > 2*c.received
	}
	return c.asked >= minUnknown
}

// enumerated gives, for each service, who asked for accounts that do not exist.
func (f *fold) enumerated() (out []detect.Finding) {
	by := map[string][]*client{}
	for _, c := range f.clients {
		if !c.asks() {
			continue
		}
		name := c.service
		if c.rcpt {
			name = "mail"
		}
		by[name] = append(by[name], c)
	}
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		g := by[n]
		slices.SortFunc(g, func(x, y *client) int { return cmp.Or(cmp.Compare(y.tries, x.tries), cmp.Compare(x.ip, y.ip)) })
		r := detect.Finding{Detection: "D04", What: detect.Enumeration, Level: detect.Low, Rung: evidence.Attempt, Service: n, Source: g[0].ip, Attack: []string{"T1589"},
			Title: fmt.Sprintf("%s asked %s for accounts that do not exist", detect.Plural(int64(len(g)), "address", "addresses"), n), Detail: fmt.Sprintf("the most by %s: %d times, %s", g[0].ip, g[0].tries, distinct(g[0]))}
		for _, c := range g {
			r.Count += c.tries
		}
		gather(&r, g)
		out = append(out, r)
	}
	return out
}

func distinct(c *client) string {
	if c.asked >= maxUnknown {
		return fmt.Sprintf("for %d accounts at least", maxUnknown)
	}
	return fmt.Sprintf("for %d accounts", c.asked)
}
