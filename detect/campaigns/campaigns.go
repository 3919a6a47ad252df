// Package campaigns finds guessing that no single address shows: lists of accounts that several addresses go through in the same order, hours in which
// far more accounts than usual are tried a few times each, and addresses that ask which accounts there are. All of it are attempts; whether one of
// them got in is for package logins.
package campaigns

import (
	"context"
	"iter"
	"slices"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "campaigns", Title: "Guessing by many, and questions which accounts there are", IDs: []string{"D04", "D07", "D08"},
		Doc:    "compares the accounts that addresses try: the same list from many, many accounts a few times each, accounts that do not exist",
		Attack: []string{"T1110.004", "T1110", "T1589"},
		Wants:  []event.Kind{event.AuthFailed, event.AuthAccepted, event.MailRejected, event.MailReceived},
		New: func(detect.Scene) detect.Fold {
			return &fold{clients: map[string]*client{}, names: map[string]uint32{}, list: []string{""}}
		},
	}
}

// Bounds of what is kept.
const (
	maxClients  = 200_000
	maxServices = 16
	maxUnknown  = 16  // accounts that do not exist, told apart of one address
	maxListed   = 200 // addresses that a finding names
	maxQuotes   = 6
	maxNames    = 20_000
	maxName     = 64 // bytes
)

// sameOrder is how many accounts an address must have tried for their order to be compared.
const sameOrder = 5

// client is one address.
type client struct {
	ip          string
	first, last evidence.Time
	order       uint64 // the first sameOrder accounts, in the order in which they were tried
	tried       uint8
	newest      uint32 // account
	rcpt        bool   // it asked by addresses of mail
	service     string
	received    int64 // mails that were taken from it
	tries       int64 // for accounts that do not exist
	unknown     [maxUnknown]uint32
	asked       uint8             // how many of them are told apart
	names       [sameOrder]uint32 // places in the fold's list
	quote       *evidence.Quote
}

type fold struct {
	clients  map[string]*client
	last     *client // one address leaves several lines in a row
	services []*service
	names    map[string]uint32 // accounts that are tried: places in list
	list     []string
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.AuthFailed:
		f.failed(e)
	case event.AuthAccepted:
		if s := f.service(e.Get(event.ServiceName)); s != nil {
			s.known.add(detect.Hash(e.Get(event.UserName)))
		}
	case event.MailReceived:
		if c := f.client(detect.From(e)); c != nil {
			c.received++
		}
	case event.MailRejected:
		f.rejected(e)
	}
}

func (f *fold) client(ip []byte) *client {
	if len(ip) == 0 {
		return nil
	}
	if f.last != nil && f.last.ip == string(ip) {
		return f.last
	}
	c := f.clients[string(ip)]
	if c == nil {
		if len(f.clients) >= maxClients {
			return nil
		}
		c = &client{ip: string(ip)}
		f.clients[c.ip] = c
	}
	f.last = c
	return c
}

func (f *fold) failed(e *event.Event) {
	user := e.Get(event.UserName)
	if len(user) == 0 {
		return
	}
	name, h := e.Get(event.ServiceName), detect.Hash(user)
	ip := detect.From(e)
	if s := f.service(name); s != nil && s.counted {
		s.tried(h, detect.Hash(ip), e)
	}
	c := f.client(ip)
	if c == nil {
		return
	}
	c.first, c.last = evidence.Min(c.first, e.At), evidence.Max(c.last, e.At)
	if c.service != string(name) {
		c.service = string(name)
	}
	if c.tried < sameOrder && h != c.newest {
		c.newest = h
		c.order = (c.order ^ uint64(h)) * 1099511628211
		c.names[c.tried] = f.name(user)
		if c.tried++; c.tried == sameOrder {
			c.keep(e)
		}
	}
	if len(e.Get(event.UserInvalid)) > 0 {
		c.ask(h, e)
	}
}

// name gives the place of an account's name in the list, 0 where there are too many.
func (f *fold) name(user []byte) uint32 {
	if i, ok := f.names[string(user)]; ok {
		return i
	}
	if len(f.list) >= maxNames || len(user) > maxName {
		return 0
	}
	i := uint32(len(f.list))
	f.list = append(f.list, string(user))
	f.names[f.list[i]] = i
	return i
}

// keep takes a line as the one that a finding quotes.
func (c *client) keep(e *event.Event) {
	q := e.Quote()
	c.quote = &q
}

// ask counts a question for an account that does not exist.
func (c *client) ask(h uint32, e *event.Event) {
	c.tries++
	if c.asked >= maxUnknown || slices.Contains(c.unknown[:c.asked], h) {
		return
	}
	c.unknown[c.asked] = h
	if c.asked++; c.asked == 3 { // a person mistypes his name once or twice
		c.keep(e)
	}
}

// rejected counts a mail that was refused because its recipient does not exist.
func (f *fold) rejected(e *event.Event) {
	to := e.Get(event.MailTo)
	if len(to) == 0 || !unknownRecipient(e.Get(event.MailReason)) {
		return
	}
	c := f.client(detect.From(e))
	if c == nil {
		return
	}
	c.first, c.last = evidence.Min(c.first, e.At), evidence.Max(c.last, e.At)
	c.rcpt = true
	c.ask(detect.Hash(to), e)
}

// Findings gives the lists that are shared, the hours of many accounts, and the questions.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, part := range [](func() []detect.Finding){f.lists, f.stuffed, f.enumerated} {
			for _, r := range part() {
				if ctx.Err() != nil || !yield(r) {
					return
				}
			}
		}
	}
}
