package sigma

import (
	"bytes"
	"fmt"
	"slices"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/multimatch"
)

// byKind gives for each kind of event what is looked for in it.
func (rs *Rules) byKind() (out [256]*wordlist) {
	lists := map[string]*wordlist{}
	for k := range out {
		of := rs.of(event.Kind(k))
		same := fmt.Sprint(of)
		if lists[same] == nil {
			lists[same] = newWordlist(rs, of)
		}
		out[k] = lists[same]
	}
	return out
}

// of gives the rules that look at a kind, by their numbers.
func (rs *Rules) of(k event.Kind) (out []int) {
	for i, r := range rs.List {
		if r.matches != nil && r.kinds[k] {
			out = append(out, i)
		}
	}
	return out
}

// wordlist is what the rules that look at a kind of event look for in it.
type wordlist struct {
	set     *multimatch.Set // nil where there are too many words for it
	owner   []int           // by word: whose it is
	always  []int           // rules without words to look for
	service string          // whose events alone all of them look at, "" where they differ
}

func newWordlist(rules *Rules, of []int) *wordlist {
	l := &wordlist{}
	if len(of) > 0 {
		l.service = rules.List[of[0]].service
	}
	var words []string
	for _, i := range of {
		if rules.List[i].service != l.service {
			l.service = ""
		}
		lits, ok := rules.List[i].matches.literals()
		if !ok {
			l.always = append(l.always, i)
			continue
		}
		for _, w := range lits {
			words, l.owner = append(words, w), append(l.owner, i)
		}
	}
	if len(words) == 0 {
		return l
	}
	set, err := multimatch.New(words)
	if err != nil {
		l.always = of
	}
	l.set = set
	return l
}

// pick finds the rules whose words stand in the event.
func (f *fold) pick(e *event.Event) {
	l := f.byKind[e.Kind]
	f.picked = f.picked[:0]
	if s := e.Get(event.ServiceName); l.service != "" && len(s) > 0 && !bytes.HasPrefix(s, []byte(l.service)) {
		return
	}
	f.picked = append(f.picked, l.always...)
	f.mark++
	if l.set == nil {
		return
	}
	found := func(w int32) {
		i := l.owner[w]
		if f.marked[i] != f.mark {
			f.marked[i] = f.mark
			f.picked = append(f.picked, i)
		}
	}
	switch {
	case e.Kind == event.HTTPRequest && !f.words[e.Kind]:
		l.set.Find(e.Get(event.URL), found)
		f.again(l, e.Get(event.UserAgent), found)
		f.again(l, e.Get(event.HTTPReferrer), found)
	case plain[e.Kind] && len(e.Raw) > 0 && len(e.Raw) < evidence.MaxQuote && e.Raw[0] != '{': // all that it says stands in its line
		l.set.Find(e.Raw, found)
	default:
		l.set.Find(e.Raw, found)
		for i := range e.Attrs {
			l.set.Find(e.Attrs[i].Value, found)
		}
	}
	if f.rec.url != nil {
		l.set.Find(f.rec.url, found)
	}
	for _, x := range f.rec.audit {
		l.set.Find(x.value, found)
	}
	slices.Sort(f.picked) // the order of rules, not of words
}

// plain are kinds whose attributes stand in their line as they are.
var plain = kindsOf(event.HTTPRequest, event.LogLine, event.KernelNotice, event.AuthFailed, event.AuthAccepted, event.ConnectionSeen, event.SessionOpened, event.SessionClosed, event.MailSubmitted, event.MailReceived, event.MailQueued,
	event.MailDelivered, event.MailRejected, event.MailRemoved, event.FirewallPacket)

// maxAgain bounds what is remembered of texts that many requests repeat.
const maxAgain = 4096

// again looks for words in what clients say of themselves: the same few texts in most requests.
func (f *fold) again(l *wordlist, text []byte, found func(int32)) {
	if len(text) == 0 {
		return
	}
	words, ok := f.known[string(text)]
	if !ok {
		l.set.Find(text, func(w int32) { words = append(words, w) })
		if len(f.known) < maxAgain && len(text) < 1024 && len(words) < 64 {
			f.known[string(text)] = words
		}
	}
	for _, w := range words {
		found(w)
	}
}
