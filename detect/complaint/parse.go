package complaint

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"telltale/evidence"
)

// Complaint is what somebody knows who complains. What he does not know is empty.
type Complaint struct {
	Text      string // as it was given, shortened
	From, To  time.Time
	Zoneless  bool // its time names no zone: it may be off by hours
	Addresses []string
	Mailboxes []string // in lower case
	Domains   []string // in lower case
	QueueIDs  []string
	Scripts   []string // that a header of the mail names
	Cut       bool     // it names more than was taken
}

// ErrNothing says that a complaint names nothing that can be looked for.
var ErrNothing = errors.New("no time, address, mailbox, name or queue id in it")

// Around how a complaint's time is taken: clocks of strangers go wrong by minutes, and a time without a zone may be of any.
const (
	aroundTime = 10 * time.Minute
	aroundDay  = 14 * time.Hour // the farthest zones
	maxItems   = 64             // of each kind
	maxKept    = 300            // of the text
)

// MaxText bounds a complaint that is given as a file, bytes.
const MaxText = 1 << 20

// Parse reads a complaint: a line of a time, addresses, mailboxes, names and queue ids, separated by commas; or a mail as abuse desks send it (RFC 5965, X-ARF, or the
// offending mail itself, of which the headers are read). A time without a zone is taken by zone, if there is one.
func Parse(text string, zone *time.Location) (Complaint, error) {
	c := Complaint{Text: strings.ToValidUTF8(shorten(text), "?")}
	if len(text) > MaxText {
		text, c.Cut = text[:MaxText], true
	}
	if strings.Contains(text, "\n") && strings.Contains(text, ":") {
		c.headers(text, zone)
	}
	if c.empty() {
		c.line(text, zone)
	}
	if c.empty() {
		return c, fmt.Errorf("complaint %q: %w", c.Text, ErrNothing)
	}
	return c, nil
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxKept {
		s = s[:maxKept] + " ..."
	}
	return s
}

func (c *Complaint) empty() bool {
	return c.From.IsZero() && len(c.Addresses)+len(c.Mailboxes)+len(c.Domains)+len(c.QueueIDs) == 0
}

// line reads items separated by commas, semicolons or lines; a day of the week before a date is passed over.
func (c *Complaint) line(text string, zone *time.Location) {
	for _, day := range []string{"Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "} {
		text = strings.ReplaceAll(text, day, "")
	}
	for piece := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if piece = strings.TrimSpace(piece); c.time(piece, zone) || c.item(piece) {
			continue
		}
		for word := range strings.FieldsSeq(piece) {
			c.item(word)
		}
	}
}

// layouts of times, those with a zone first. Every one with a date: a complaint without one is of no day.
var layouts = []struct {
	form        string
	zoned, days bool
}{
	{time.RFC3339Nano, true, false}, {"2006-01-02 15:04:05 -0700", true, false}, {"2006-01-02 15:04 -0700", true, false}, {"2006-01-02T15:04:05 -0700", true, false}, {"2006-01-02T15:04:05-0700", true, false},
	{"2 Jan 2006 15:04:05 -0700", true, false}, {"2 Jan 2006 15:04 -0700", true, false}, {"02/Jan/2006:15:04:05 -0700", true, false}, {"Jan 2 2006 15:04:05 -0700", true, false},
	{"2006-01-02T15:04:05", false, false}, {"2006-01-02 15:04:05", false, false}, {"2006-01-02 15:04", false, false}, {"2 Jan 2006 15:04:05", false, false}, {"2 Jan 2006 15:04", false, false}, {"Jan 2 2006 15:04:05", false, false},
	{"2006-01-02", false, true}, {"2 Jan 2006", false, true}, {"02/Jan/2006", false, true},
}

func (c *Complaint) time(s string, zone *time.Location) bool {
	if i := strings.IndexByte(s, '('); i > 0 { // "+0100 (CET)"
		s = strings.TrimSpace(s[:i])
	}
	for _, name := range []string{" UTC", " GMT", " Z"} {
		if rest, ok := strings.CutSuffix(s, name); ok {
			s = rest + " +0000"
		}
	}
	in := zone
	if in == nil {
		in = time.UTC
	}
	for _, l := range layouts {
		t, err := time.ParseInLocation(l.form, s, in)
		if err != nil || t.Year() < 1990 || t.Year() > 2200 {
			continue
		}
		from, to := t.Add(-aroundTime), t.Add(aroundTime)
		if l.days {
			from, to = t, t.AddDate(0, 0, 1)
		}
		if !l.zoned && zone == nil {
			c.Zoneless = true
			from, to = from.Add(-aroundDay), to.Add(aroundDay)
		}
		if c.From.IsZero() || from.Before(c.From) {
			c.From = from
		}
		if to.After(c.To) {
			c.To = to
		}
		return true
	}
	return false
}

// item takes an address, a mailbox, a queue id or a name.
func (c *Complaint) item(s string) bool {
	s = strings.Trim(s, "<>()[]\"'")
	if a := plain(s); a != "" {
		return c.put(&c.Addresses, a)
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return c.put(&c.Addresses, ap.Addr().Unmap().String())
	}
	switch at := strings.LastIndexByte(s, '@'); {
	case strings.ContainsAny(s, " \t/"):
		return false
	case at > 0 && at < len(s)-1:
		return c.put(&c.Mailboxes, strings.ToLower(s))
	case queueID(s):
		return c.put(&c.QueueIDs, s)
	case domain(s):
		return c.put(&c.Domains, strings.ToLower(s))
	}
	return false
}

func (c *Complaint) put(list *[]string, s string) bool {
	switch {
	case slices.Contains(*list, s):
	case len(*list) < maxItems:
		*list = append(*list, s)
	default:
		c.Cut = true
	}
	return true
}

// plain gives an address in its one usual form, "" for none.
func plain(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.WithZone("").Unmap().String()
}

// queueID tells the queue ids of Postfix (short: hexadecimal; long: letters and digits that hold a z between two numbers), Exim (three parts) and Sendmail.
func queueID(s string) bool {
	if len(s) < 7 || len(s) > 32 {
		return false
	}
	digits, upper := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
		case c == '-' && strings.Count(s, "-") == 2:
		default:
			return false
		}
	}
	return digits > 0 && upper > 0
}

func domain(s string) bool {
	if len(s) > 253 || !strings.Contains(strings.Trim(s, "."), ".") {
		return false
	}
	letters := false
	for _, c := range strings.ToLower(s) {
		if c >= 'a' && c <= 'z' {
			letters = true
		} else if !(c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return letters
}

// at tells whether a time fits.
func (c *Complaint) at(t evidence.Time) bool {
	return c.From.IsZero() || t.Known() && !t.Std().Before(c.From) && !t.Std().After(c.To)
}

// near tells whether a time lies so near that a queue id can be of the same mail: ids are given again.
func (c *Complaint) near(t evidence.Time) bool {
	return c.From.IsZero() || !t.Known() || !t.Std().Before(c.From.Add(-underWay)) && !t.Std().After(c.To.Add(underWay))
}

// mail tells whether a delivery fits: its recipient is named, or the recipient's domain, or the machine that took it.
func (c *Complaint) mail(to, relay string) bool {
	if len(c.Mailboxes) > 0 {
		return slices.Contains(c.Mailboxes, to)
	}
	if i := strings.LastIndexByte(to, '@'); i >= 0 && slices.Contains(c.Domains, to[i+1:]) {
		return true
	}
	if i, j := strings.IndexByte(relay, '['), strings.IndexByte(relay, ']'); i >= 0 && j > i {
		return slices.Contains(c.Addresses, plain(relay[i+1:j]))
	}
	return slices.Contains(c.Addresses, plain(relay))
}

// sender tells whether the sender of a mail is named: that fits, but less well, for a complaint may name whose address was forged.
func (c *Complaint) sender(m *mail) bool {
	return m != nil && m.from != "" && slices.Contains(c.Mailboxes, m.from)
}

// named tells whether words hold an address or a name of the complaint, not as part of a longer one.
func (c *Complaint) named(words []byte) bool {
	for _, list := range [][]string{c.Addresses, c.Domains} {
		for _, s := range list {
			if whole(words, s) {
				return true
			}
		}
	}
	return false
}

func whole(words []byte, s string) bool {
	for {
		i := bytes.Index(words, []byte(s))
		if i < 0 {
			return false
		}
		after := words[i+len(s):]
		if (i == 0 || !partOf(words[i-1])) && (len(after) == 0 || !partOf(after[0]) || after[0] == '.' && (len(after) == 1 || !partOf(after[1]))) {
			return true
		}
		words = after
	}
}

// partOf tells the characters that names and addresses are made of.
func partOf(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == '-'
}
