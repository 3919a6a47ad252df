package database

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

const (
	maxLosses = 2000
	maxQuotes = 6
	maxTimes  = 256
)

// together is how near to each other what is dropped and the demand in its place are: both are the work of one program.
const together = 30 * time.Minute

// loss is what one client dropped and what it left in its place. Tests and migrations drop databases every day; nobody but an extortioner
// leaves a demand.
type loss struct {
	service, source, account string
	dropped                  int64
	drops                    []evidence.Time
	names                    []string
	demand                   string
	strong                   bool // words that no application gives to its tables
	fresh                    bool // something was dropped that nobody drops by its age
	at                       evidence.Time
	dropQuotes, quotes       []evidence.Quote
}

// lost takes what drops data or leaves a demand.
func (f *fold) lost(e *event.Event) {
	message := e.Text(event.Message)
	verb, name := drops(message)
	demand, strong := demands(message)
	if verb == "" && demand == "" {
		return
	}
	service, source := e.Text(event.ServiceName), string(detect.From(e))
	if demand != "" && service == elastic && !noteIndex(demand) {
		return
	}
	k := service + "\x00" + source
	x := f.losses[k]
	if x == nil {
		if len(f.losses) >= maxLosses {
			return
		}
		x = &loss{service: service, source: source}
		f.losses[k] = x
	}
	x.account = cmp.Or(x.account, e.Text(event.UserName))
	if verb != "" {
		x.dropped++
		x.fresh = x.fresh || service != elastic || !lapsed(name, e.At)
		if len(x.drops) < maxTimes {
			x.drops = append(x.drops, e.At)
		}
		if len(x.names) < 8 && !slices.Contains(x.names, name) {
			x.names = append(x.names, name)
		}
		if len(x.dropQuotes) < maxQuotes/2 {
			x.dropQuotes = append(x.dropQuotes, e.Quote())
		}
		return
	}
	if x.demand == "" || strong && !x.strong {
		x.demand, x.strong, x.at = demand, strong, e.At
	}
	if len(x.quotes) < maxQuotes/2 {
		x.quotes = append(x.quotes, e.Quote())
	}
}

// drops reads "dropDatabase shop", of a store of indices "deleteIndex shop", and "DROP DATABASE `shop`".
func drops(m string) (verb, name string) {
	if rest, ok := strings.CutPrefix(m, "dropDatabase "); ok {
		name, _, _ = strings.Cut(rest, " ")
		return "dropped", strings.TrimSuffix(name, ".$cmd")
	}
	if name, ok := strings.CutPrefix(m, "deleteIndex "); ok {
		return "deleted", name
	}
	w := strings.Fields(m[:min(len(m), 300)])
	if len(w) >= 3 && strings.EqualFold(w[0], "drop") && (strings.EqualFold(w[1], "database") || strings.EqualFold(w[1], "schema")) {
		return "dropped", strings.Trim(w[len(w)-1], "`\"';")
	}
	return "", ""
}

// demands gives the words of a demand; strong is false for a name that an application may give, too.
func demands(m string) (demand string, strong bool) {
	low := strings.ToLower(m[:min(len(m), 1000)])
	for _, verb := range []string{"createcollection ", "createindex ", "insert ", "create ", "create database ", "create table ", "insert into ", "replace into ", "update "} {
		rest, ok := strings.CutPrefix(low, verb)
		if !ok {
			continue
		}
		if strings.Contains(rest, "bitcoin") && (strings.Contains(rest, "your data") || strings.Contains(rest, "your db") || strings.Contains(rest, "backed up")) {
			return "a note that asks for bitcoin", true
		}
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "database "), "table ")
		rest = strings.TrimPrefix(rest, "if not exists ")
		name, _, _ := strings.Cut(strings.TrimLeft(rest, "`\"' "), " ")
		name = strings.Trim(name, "`\"'();")
		if strings.Contains(name, meow) || slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(name, n) }) {
			return name, true
		}
		if name == "readme" || name == "warning" || strings.HasPrefix(name, "readme.") {
			return name, false
		}
	}
	return "", false
}

const elastic = "elasticsearch"

// unit is what a service calls a whole of its data.
func unit(service string) string {
	if service == elastic {
		return "index"
	}
	return "database"
}

func units(service string) string {
	if service == elastic {
		return "indices"
	}
	return "databases"
}

func was(n int64) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

// destroyed gives the demands, with what was dropped by the same client near them.
func (f *fold) destroyed() (out []detect.Finding) {
	for _, x := range f.losses {
		near := int64(0)
		for _, t := range x.drops {
			if x.at.Known() && t.Sub(x.at).Abs() < together {
				near++
			}
		}
		if x.demand == "" || !x.strong && near == 0 {
			continue
		}
		r := detect.Finding{Detection: "D76", What: detect.Destroyed, Level: detect.Medium, Rung: evidence.Effect, Service: x.service, Source: x.source, Account: x.account, First: x.at, Last: x.at, Count: max(near, 1), Attack: []string{"T1485"},
			For: append(append([]evidence.Quote{}, x.dropQuotes...), x.quotes...), Title: fmt.Sprintf("a demand was left in %s: %s", x.service, x.demand), Detail: "nothing that was dropped near it was logged"}
		if near > 0 {
			r.Title = fmt.Sprintf("%s of %s dropped, and a demand was left instead: %s", detect.Plural(near, unit(x.service), units(x.service)), x.service+was(near), x.demand)
			r.Detail = strings.Join(x.names, ", ")
			if x.strong && (x.fresh || strings.HasSuffix(x.demand, meow)) {
				r.Level = detect.Critical
			}
			for _, t := range x.drops {
				if t.Sub(x.at).Abs() < together {
					r.First, r.Last = evidence.Min(r.First, t), evidence.Max(r.Last, t)
				}
			}
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y detect.Finding) int {
		return cmp.Or(cmp.Compare(y.Level, x.Level), cmp.Compare(x.Service+x.Source, y.Service+y.Source))
	})
	return out[:min(len(out), 100)]
}
