// Package commands reads shell histories for what people do only to a server that is not
// theirs: looking around in a hurry, fetching and running programs, hiding traces, taking
// passwords. A history carries no time of its own unless the shell was told to keep it.
package commands

import (
	"bytes"
	"cmp"
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
		ID: "commands", Title: "What was typed", IDs: []string{"D33", "D36", "D61", "D65", "D67", "D72"},
		Doc:    "judges the commands of shell histories, and code from the network that sudo or the audit saw run",
		Attack: []string{"T1059.004", "T1082", "T1070"},
		Wants:  []event.Kind{event.ShellCommand, event.File, event.SudoCommand, event.ProcessStarted},
		New: func(s detect.Scene) detect.Fold {
			return &fold{recon: map[string]*detect.Finding{}, written: map[string]evidence.Time{}, remote: map[string]*detect.Finding{}, images: map[string]bool{}, places: map[int]line{}, seen: map[string]*detect.Finding{}}
		},
	}
}

const maxCommands = 20_000

type fold struct {
	found   []detect.Finding
	recon   map[string]*detect.Finding // looking around, by history
	order   []string
	written map[string]evidence.Time // when histories were last written, by path
	remote  map[string]*detect.Finding
	remotes []*detect.Finding          // in the order in which they ran
	seen    map[string]*detect.Finding // processes that were told, by account and command
	images  map[string]bool            // histories by which an image of the machine was made
	evening evening
	places  map[int]line // of what was found, where it weighs in an evening
}

const maxHistories = 10_000

func (f *fold) Observe(e *event.Event) {
	if e.Kind == event.File {
		if p := e.Get(event.FilePath); bytes.HasSuffix(p, []byte("_history")) && len(f.written) < maxHistories {
			f.written[string(p)] = detect.ParseTime(e.Text(event.FileMtime))
		}
		return
	}
	if e.Kind != event.ShellCommand {
		if e.Kind == event.ProcessStarted {
			f.audited(e)
		}
		f.ran(e)
		return
	}
	cmd := strings.TrimSpace(e.Text(event.CommandLine))
	user, file := e.Text(event.UserName), e.Text(event.ShellHistory)
	id, attack, why, l := judge(cmd)
	at := f.evening.next(file, cmd, id == "D61")
	if l > detect.Info && len(f.found) < maxCommands {
		shown := cmdline.Mask(cmd)
		f.found = append(f.found, detect.Finding{Detection: id, What: detect.Command, Level: l, Rung: evidence.Effect, First: e.At, Last: e.At, Count: 1, Account: user, Runs: shown, Path: file,
			Detail: why, Mechanism: "history", Title: cmp.Or(user, "somebody") + " typed: " + shown, Attack: []string{attack}, For: []evidence.Quote{cmdline.Quote(e.Quote(), cmd)}})
		if n := len(f.found) - 1; weighs(&f.found[n]) {
			f.places[n] = at
		}
	}
	if makesImage(strings.ToLower(cmd)) && len(f.images) < maxHistories {
		f.images[file] = true
	}
	if looksAround(cmd) {
		r := f.recon[file]
		if r == nil {
			r = &detect.Finding{Detection: "D67", What: detect.Command, Level: detect.Info, Rung: evidence.Effect, Account: user, Path: file, Mechanism: "recon", Attack: []string{"T1082"},
				Title: user + " looked around"}
			f.recon[file] = r
			f.order = append(f.order, file)
		}
		r.Count++
		r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
		if len(r.For) < 6 {
			r.For = append(r.For, cmdline.Quote(e.Quote(), cmd))
			r.Runs += cmdline.Mask(cmd) + "; "
		}
	}
}

// judge tells what a command is for where only an intruder, or hardly anybody else, types it.
func judge(c string) (id, attack, why string, l detect.Level) {
	low := strings.ToLower(c)
	switch {
	case strings.Contains(c, "HISTFILE") && (strings.Contains(low, "unset") || strings.Contains(c, "/dev/null") || strings.HasSuffix(c, "HISTFILE=")), strings.Contains(c, "HISTSIZE=0"), strings.Contains(low, "history -c"), strings.Contains(low, "set +o history"):
		return "D61", "T1070.003", "switches off or empties the shell's history", detect.Medium
	case strings.Contains(low, "/var/log/") && (strings.Contains(low, "sed -i") || strings.HasPrefix(low, "rm ") || strings.Contains(low, " rm ") || strings.Contains(low, "shred ") || strings.Contains(low, "truncate ") || strings.HasPrefix(low, "> /var/log") || strings.HasPrefix(low, ": >") || strings.HasPrefix(low, "echo > ")):
		if makesRoom(low) {
			return "D58", "T1070.002", "empties or removes logs that tell of no logins", detect.Medium
		}
		return "D58", "T1070.002", "edits, empties or removes logs", detect.High
	case strings.Contains(low, "_history") && (strings.HasPrefix(low, "rm ") || strings.Contains(low, "shred ") || strings.Contains(low, "truncate ") || strings.Contains(low, "/dev/null")):
		return "D61", "T1070.003", "removes the shell's history", detect.Medium
	case makesRoot(low):
		return "D36", "T1136.001", "makes an account with root's number", detect.High
	case destroys(low):
		return "D36", "T1485", "destroys data as a whole", detect.High
	case strings.Contains(low, "touch -d ") || strings.Contains(low, "touch -t ") || strings.Contains(low, "touch -r "):
		return "D62", "T1070.006", "sets a file's times", detect.Medium
	case strings.Contains(low, "/etc/shadow") && (strings.HasPrefix(low, "cat ") || strings.Contains(low, " cat ") || strings.HasPrefix(low, "cp ") || strings.HasPrefix(low, "unshadow")):
		if looksAtHashes(low) {
			return "D65", "T1003.008", "looks at the password hashes", detect.Medium
		}
		return "D65", "T1003.008", "reads the password hashes", detect.High
	case strings.Contains(low, "chattr +i") && (strings.Contains(low, "authorized_keys") || strings.Contains(low, "cron") || strings.Contains(low, "/tmp") || strings.Contains(low, "/usr/bin")):
		return "D46", "T1222.002", "makes a file that lets somebody in unchangeable", detect.High
	}
	why, l = detect.SuspiciousCommand(c)
	if carriesOut(low) && l < detect.Medium {
		return "D65", "T1567", carriedOut, detect.Medium
	}
	if tool := detect.AttackTool(low); tool != "" && l < detect.High {
		return "D72", "T1046", "runs " + tool + ", which searches or attacks other machines", detect.High
	}
	if l > detect.Info {
		if why == fetchesAndRuns {
			from, l := detect.FetchedFrom(c)
			switch {
			case l == detect.Low:
				return "D33", "T1195", "runs code from " + from + ", as its maker tells everybody to", l
			case l == detect.Medium && !detect.Pasted(from): // as very much software is installed
				return "D36", "T1059.004", why, l
			case detect.NearFetch(c):
				return "D36", "T1059.004", why, detect.High
			}
		}
		return "D36", "T1059.004", why, l
	}
	return "", "", "", detect.Info
}

// carriedOut says that files were put into a store elsewhere.
const carriedOut = "puts files into a store elsewhere"

// looksAround tells whether a command is one of those that people type on a host they do not know.
func looksAround(c string) bool {
	w, rest, _ := strings.Cut(c, " ")
	switch w {
	case "w", "whoami", "id", "uname", "last", "lscpu", "nproc", "ifconfig", "netstat", "ss", "hostname", "uptime":
		return true
	case "cat":
		return strings.Contains(rest, "/etc/passwd") || strings.Contains(rest, "/proc/cpuinfo") || strings.Contains(rest, "/etc/issue") || strings.Contains(rest, "-release") || strings.Contains(rest, "/proc/version")
	case "ps":
		return strings.Contains(rest, "x") || strings.Contains(rest, "-e")
	case "sudo":
		return strings.HasPrefix(rest, "-l")
	case "ip":
		return strings.HasPrefix(rest, "a") || strings.HasPrefix(rest, "r")
	}
	return false
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for i, r := range f.found {
			if at, weighs := f.places[i]; weighs && f.evening.holds(at) {
				r.Level, r.Detail = detect.Critical, r.Detail+", beside fetching from a machine without a name and hiding what was typed"
			}
			if t := f.written[r.Path]; !r.First.Known() && t.Known() {
				r.When = []evidence.Time{t} // a shell writes its history when it ends
			}
			f.ofImage(&r)
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
		for _, r := range f.remotes {
			if ctx.Err() != nil || !yield(*r) {
				return
			}
		}
		for _, file := range f.order {
			if r := f.recon[file]; r.Count >= 4 {
				if !yield(*r) {
					return
				}
			}
		}
	}
}
