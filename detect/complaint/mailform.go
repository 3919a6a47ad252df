package complaint

import (
	"slices"
	"strings"
	"time"
)

// header fields that say what we look for. Those of reports (RFC 5965 section 3, X-ARF) first, then those of the offending mail.
var (
	sourceFields = []string{"source-ip", "source", "destination-ip"}
	rcptFields   = []string{"original-rcpt-to", "removal-recipient"}
	dateFields   = []string{"arrival-date", "received-date", "date"}
	scriptFields = []string{"x-php-originating-script", "x-php-script"}
)

// headers reads a report or a mail by its header lines, also those within its parts. Lines of the body that look like them are read too: a complaint is its
// sender's word in any case.
func (c *Complaint) headers(text string, zone *time.Location) {
	mailed, reported := Complaint{}, false
	for line := range strings.SplitSeq(unfold(text), "\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " \t") {
			continue
		}
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch {
		case slices.Contains(sourceFields, name):
			c.item(value)
		case slices.Contains(rcptFields, name):
			c.mailboxes(value)
		case slices.Contains(dateFields, name):
			if name != "date" {
				reported = c.date(value, zone) || reported
			} else {
				mailed = Complaint{}
				mailed.date(value, zone) // the last one is that of the mail within
			}
		case slices.Contains(scriptFields, name):
			_, script, found := strings.Cut(value, ":")
			if !found {
				script = value
			}
			c.put(&c.Scripts, strings.TrimSpace(script))
		case name == "received":
			c.received(value)
		}
	}
	if !reported && c.From.IsZero() {
		c.From, c.To, c.Zoneless = mailed.From, mailed.To, mailed.Zoneless
	}
}

// unfold joins header lines that go on.
func unfold(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.NewReplacer("\n ", " ", "\n\t", " ").Replace(s)
}

func (c *Complaint) date(value string, zone *time.Location) bool {
	if i := strings.Index(value, ", "); i >= 0 && i <= 9 {
		value = value[i+2:]
	}
	return c.time(strings.Join(strings.Fields(value), " "), zone)
}

func (c *Complaint) mailboxes(value string) {
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\t' }) {
		if strings.Contains(w, "@") {
			c.item(strings.TrimPrefix(strings.ToLower(w), "rfc822;"))
		}
	}
}

// received takes the queue id of one station: "from a by b with ESMTP id 4XyZ for <c>; date". One of them is ours.
func (c *Complaint) received(value string) {
	words := strings.Fields(value)
	for i, w := range words {
		if w == "id" && i+1 < len(words) {
			if id := strings.Trim(words[i+1], ";()<>"); queueID(id) {
				c.put(&c.QueueIDs, id)
			}
		}
		if w == "for" && i+1 < len(words) {
			c.mailboxes(strings.Trim(words[i+1], "<>;"))
		}
	}
}
