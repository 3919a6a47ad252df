package detect

import (
	"bytes"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// Actor gives the account that somebody used to give a command, and the one that it ran as where that is another: sudo tells both, the audit marks
// who logged in, a history knows its owner alone.
func (s Scene) Actor(e *event.Event) (user, as string) {
	user, as = e.Text(event.UserName), e.Text(event.UserEffective)
	switch e.Kind {
	case event.SudoCommand:
		if as == "" {
			as = "root"
		}
	case event.ProcessStarted:
		if login := s.UserByUID(e.Text(event.LoginUID)); login != "" && login != user {
			return login, user
		}
	}
	return user, as
}

// Histories notes when shells' histories were last written, which a shell does when it ends: of lines without times that is all that is known.
type Histories map[string]evidence.Time

// maxHistories bounds Histories.
const maxHistories = 10_000

// Note takes a File event.
func (h Histories) Note(e *event.Event) {
	if p := e.Get(event.FilePath); bytes.HasSuffix(p, []byte("_history")) && len(h) < maxHistories {
		h[string(p)] = ParseTime(e.Text(event.FileMtime))
	}
}

// Date gives a finding that a history without times tells of the time at which it was written.
func (h Histories) Date(f *Finding) {
	if t := h[f.Path]; !f.First.Known() && t.Known() {
		f.When = []evidence.Time{t}
	}
}

// Witness names what told of a command.
func Witness(k event.Kind) string {
	switch k {
	case event.SudoCommand:
		return "sudo"
	case event.ProcessStarted:
		return "audit"
	}
	return "history"
}

// SeenAgain adds an event to a finding: its time, and its quotation while there are fewer than most. A password on a command line is masked.
func (f *Finding) SeenAgain(e *event.Event, most int) {
	f.Count++
	f.First, f.Last = evidence.Min(f.First, e.At), evidence.Max(f.Last, e.At)
	if len(f.For) < most {
		f.For = append(f.For, cmdline.Quote(e.Quote(), e.Text(event.CommandLine)))
	}
}
