// Package privilege finds who became another user, above all root, and what was done to
// the accounts: made, given rights, twins of root, empty passwords.
package privilege

import (
	"context"
	"iter"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "privilege", Title: "Rights gained and accounts changed", IDs: []string{"D38", "D40", "D44", "D45"},
		Doc:    "finds sudo and su to root, the trace of the fault in pkexec, accounts made and changed, uid 0 twins, empty passwords",
		Attack: []string{"T1548.003", "T1136.001", "T1098", "T1068"},
		Wants: []event.Kind{event.SudoCommand, event.SudoDenied, event.SwitchUser, event.AccountCreated, event.AccountChanged, event.AccountDeleted,
			event.GroupChanged, event.PasswordChanged, event.Account, event.AccountSecret, event.SessionOpened},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, became: map[string]*detect.Finding{}, made: map[string]bool{}, recent: map[change]int{}, switches: map[string]evidence.Time{}}
		},
	}
}

const (
	maxCommands = 20_000 // commands run by sudo that are kept
	maxChanges  = 5_000
	maxMade     = 100_000
)

type fold struct {
	roots    map[string]int // accounts with root's number, by list
	scene    detect.Scene
	became   map[string]*detect.Finding // by user, effective user and command
	order    []*detect.Finding
	changes  []detect.Finding
	recent   map[change]int // which of them is of that second
	accounts []detect.Finding
	made     map[string]bool // accounts whose making is logged
	uid0     int
	switches map[string]evidence.Time // by who and as whom: when su told of it last
}

// change is one of an account, by the second.
type change struct {
	user   string
	kind   event.Kind
	what   string
	second int64
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.SudoCommand, event.SwitchUser, event.SudoDenied:
		f.switched(e)
	case event.SessionOpened:
		f.opened(e)
	case event.AccountCreated, event.AccountChanged, event.AccountDeleted, event.GroupChanged, event.PasswordChanged:
		f.changed(e)
	case event.Account:
		f.account(e)
	case event.AccountSecret:
		if e.Text(event.PasswordState) == "empty" {
			f.accounts = append(f.accounts, detect.Finding{Detection: "D45", What: detect.AccountOdd, Level: detect.High, Rung: evidence.Effect,
				Account: e.Text(event.UserName), Title: "account " + e.Text(event.UserName) + " needs no password", Detail: "the password field is empty",
				Path: e.Text(event.FilePath), First: at(e.Text(event.FileMtime)), Attack: []string{"T1098"}, For: []evidence.Quote{e.Quote()}})
		}
	}
}

func (f *fold) switched(e *event.Event) {
	user, as, cmd := e.Text(event.UserName), e.Text(event.UserEffective), e.Text(event.CommandLine)
	if as == "" {
		as = "root"
	}
	if e.Kind == event.SwitchUser {
		f.noteSwitch(user, as, e.At)
	}
	key := user + "\x00" + as + "\x00" + cmd + "\x00" + e.Text(event.Terminal)
	if e.Kind == event.SudoDenied {
		key += "\x00denied"
	}
	r := f.became[key]
	if r != nil {
		if d := e.At.Sub(r.Last); d > 2e9 || d < -2e9 { // else another witness of the same
			r.Count++
		}
		r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
		if len(r.For) < 4 {
			r.For = append(r.For, cmdline.Quote(e.Quote(), cmd))
		}
		return
	}
	if len(f.order) >= maxCommands {
		return
	}
	r = &detect.Finding{Detection: "D40", What: detect.BecameRoot, Level: detect.Info, Rung: evidence.Effect, First: e.At, Last: e.At, Count: 1,
		Account: user, As: as, Runs: cmdline.Mask(cmd), Service: e.Text(event.ServiceName), Detail: e.Text(event.Terminal), Attack: []string{"T1548.003"}, For: []evidence.Quote{cmdline.Quote(e.Quote(), cmd)}}
	if r.Service == "" {
		r.Service = "sudo"
	}
	r.Title = user + " ran as " + as + ": " + r.Runs
	if cmd == "" {
		r.Title = user + " became " + as
	}
	word(r, e, cmd)
	f.became[key] = r
	f.order = append(f.order, r)
}

// word tells what no command was: a fault that was used, a question, a refusal.
func word(r *detect.Finding, e *event.Event, cmd string) {
	user, as := r.Account, r.As
	switch {
	case pwnkit(e, cmd):
		r.Detection, r.Level, r.Runs, r.Service, r.Attack = "D38", detect.High, "", "a fault in pkexec (PwnKit, CVE-2021-4034)", []string{"T1068"}
		r.Title = user + " became root by " + r.Service
	case r.Service == "sudo" && (cmd == "list" || cmd == "validate" || strings.HasPrefix(cmd, "list ")): // "sudo -l" and "sudo -v" run nothing
		r.What, r.Rung, r.Runs, r.Title = detect.Command, evidence.Attempt, "sudo -l", user+" asked what sudo lets him do"
		if cmd == "validate" {
			r.Runs, r.Title = "sudo -v", user+" gave sudo his password, and ran nothing"
		}
	case e.Kind == event.SudoDenied:
		r.Level, r.Rung, r.What, r.Title = detect.Low, evidence.Attempt, detect.Command, user+" was refused to run as "+as+": "+cmd
	}
}

// pwnkit tells what pkexec says when it is started without a single argument and with a library for its own error message to load: the complaint is
// written just before the library runs, as root. A mended pkexec ends before that.
func pwnkit(e *event.Event, cmd string) bool {
	return e.Kind == event.SudoDenied && string(e.Get(event.ServiceName)) == "pkexec" && strings.Contains(cmd, "GCONV_PATH=") && strings.HasPrefix(string(e.Get(event.AuthReason)), "The value for ")
}

func (f *fold) changed(e *event.Event) {
	user := e.Text(event.UserName)
	if e.Kind == event.AccountCreated && len(f.made) < maxMade {
		f.made[user] = true
	}
	k := change{user, e.Kind, e.Text(event.Change), e.At.Sec}
	if f.again(k, e) {
		return
	}
	if len(f.changes) >= maxChanges {
		return
	}
	r := detect.Finding{Detection: "D44", What: detect.AccountMade, Level: detect.Info, Rung: evidence.Effect, First: e.At, Last: e.At, Count: 1, Account: user,
		As: e.Text(event.UserBy), Detail: e.Text(event.Change), Mechanism: e.Kind.String(), Attack: []string{"T1136.001"}, For: []evidence.Quote{e.Quote()}}
	switch e.Kind {
	case event.AccountCreated:
		r.Title = "account " + user + " was made"
		if e.Has(event.UserID, "0") && secondRoot(user) {
			r.Detection, r.Level, r.Title = "D45", detect.High, r.Title+" with uid 0: it is root under another name"
		}
	case event.PasswordChanged:
		r.Title, r.Attack = "password of "+user+" was changed", []string{"T1098"}
	case event.AccountDeleted:
		r.Title, r.Attack = "account "+user+" was deleted", []string{"T1531"}
	default:
		r.Title, r.Attack = "account "+user+" was changed", []string{"T1098"}
	}
	if g := e.Text(event.GroupName); g != "" && user == "" {
		r.Path, r.Title = g, "group "+g+" was made or changed"
	} else if g != "" {
		r.Path = g
		r.Title += " (group " + g + ")"
	}
	f.recent[k] = len(f.changes)
	f.changes = append(f.changes, r)
}

// again tells whether another witness told of the same change, and quotes this one besides.
func (f *fold) again(k change, e *event.Event) bool {
	for second := k.second - 2; second <= k.second+2; second++ {
		i, ok := f.recent[change{k.user, k.kind, k.what, second}]
		if !ok || len(f.changes[i].For) >= 4 {
			continue
		}
		c := &f.changes[i]
		if d := e.At.Sub(c.First); d > -2e9 && d < 2e9 {
			c.For = append(c.For, e.Quote())
			return true
		}
	}
	return false
}

// secondRoot tells an account that nothing needs to have root's number: BSD's own second root is toor.
func secondRoot(user string) bool { return user != "root" && user != "toor" }

func (f *fold) account(e *event.Event) {
	user, uid := e.Text(event.UserName), e.Text(event.UserID)
	odd := ""
	if uid == "0" {
		f.countRoot(e)
	}
	switch {
	case uid == "0" && secondRoot(user):
		odd = "a second account with uid 0, which is root under another name"
	case e.Text(event.PasswordState) == "empty":
		odd = "no password is asked of it"
	case e.Text(event.PasswordState) == "in-passwd":
		odd = "its password's hash stands in /etc/passwd, not in /etc/shadow"
	default:
		return
	}
	r := detect.Finding{Detection: "D45", What: detect.AccountOdd, Level: detect.High, Rung: evidence.Effect, First: at(e.Text(event.FileMtime)), Account: user, As: uid, Detail: odd,
		Title: "account " + user + ": " + odd, Path: e.Text(event.FilePath), Attack: []string{"T1136.001"}, For: []evidence.Quote{e.Quote()}}
	if uid == "0" && secondRoot(user) && e.Text(event.PasswordState) == "in-passwd" { // written by hand or by an exploit: no tool makes such an account
		r.Level = detect.Critical
		r.Detail += ", with its password's hash in /etc/passwd"
		r.Title = "account " + user + ": " + r.Detail
	}
	f.accounts = append(f.accounts, r)
}

func at(s string) evidence.Time { return detect.ParseTime(s) }

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, r := range f.order {
			if !yield(*r) {
				return
			}
		}
		for _, r := range f.changes {
			if !yield(r) {
				return
			}
		}
		for _, r := range f.accounts {
			if r.As == "0" && f.onlyRoot(&r) {
				continue
			}
			if strings.HasPrefix(r.Detail, "a second account") && !f.made[r.Account] {
				r.Detail += "; no log tells of its making"
			}
			if !yield(r) {
				return
			}
		}
	}
}
