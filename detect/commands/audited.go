package commands

import (
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// maxAudited bounds the processes that are told.
const maxAudited = 2000

// audited looks at a program that the audit or a monitor saw start, for what hardly any program of a server starts: a shell that hands itself to the network, an
// account with root's number, and, of accounts that network services run as, a file that is fetched to be run. Sites do fetch files to /tmp: that alone is little.
func (f *fold) audited(e *event.Event) {
	c := e.Text(event.CommandLine)
	user := e.Text(event.UserName)
	why, attack, l := judgeAudited(c, detect.ServiceAccount(user))
	if l == detect.Info {
		return
	}
	k := user + "\x00" + c
	if r := f.seen[k]; r != nil {
		r.Count++
		r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
		return
	}
	if len(f.seen) >= maxAudited {
		return
	}
	shown := cmdline.Mask(c)
	r := &detect.Finding{Detection: "D36", What: detect.Command, Level: l, Rung: evidence.Effect, First: e.At, Last: e.At, Count: 1, Account: user, Runs: shown, Detail: why, Mechanism: "audited",
		Pid: e.Text(event.ProcessPID), Title: user + " ran: " + shown, Attack: []string{attack}, For: []evidence.Quote{cmdline.Quote(e.Quote(), c)}}
	if user == "" {
		r.Title = "somebody ran: " + shown
	}
	f.seen[k] = r
	f.remotes = append(f.remotes, r)
}

func judgeAudited(c string, service bool) (why, attack string, l detect.Level) {
	why, l = detect.SuspiciousCommand(c)
	switch low := strings.ToLower(c); {
	case why == "gives a shell to the network", l == detect.Critical && strings.Contains(low, "/dev/tcp/") && handsOver(low):
		if service {
			return "gives a shell to the network", "T1059.004", detect.Critical
		}
		return "gives a shell to the network", "T1059.004", detect.High
	case makesRoot(low + " "):
		return "makes an account with root's number", "T1136.001", detect.High
	case service && why == "fetches a file and makes it a program":
		return why, "T1105", detect.Medium
	}
	return "", "", detect.Info
}

// handsOver tells a shell whose input and output are a connection; to look whether a port is open needs neither.
func handsOver(low string) bool {
	return (strings.Contains(low, " -i") || strings.Contains(low, "sh <&") || strings.Contains(low, "sh 0<")) && (strings.Contains(low, "0>&1") || strings.Contains(low, ">&") || strings.Contains(low, "<&"))
}
