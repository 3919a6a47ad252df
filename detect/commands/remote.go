package commands

import (
	"bytes"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// fetchesAndRuns is how package detect words code that is run as it comes from the network.
const fetchesAndRuns = "runs code that it fetches from the network"

// ran looks at commands that sudo and the kernel's audit tell: of all that a shell may do, only at code that is fetched and run, for what
// automata run from /tmp would be told else.
func (f *fold) ran(e *event.Event) {
	line := e.Get(event.CommandLine)
	if bytes.IndexByte(line, '|') < 0 && !bytes.Contains(line, []byte("$(")) && !bytes.Contains(line, []byte("<(")) || !bytes.Contains(line, []byte("http")) && !bytes.Contains(line, []byte("curl")) && !bytes.Contains(line, []byte("wget")) {
		return
	}
	c := string(line)
	if why, _ := detect.SuspiciousCommand(strings.NewReplacer(`'`, " ", `"`, " ").Replace(c)); why != fetchesAndRuns {
		return
	}
	from, l := detect.FetchedFrom(c)
	user := e.Text(event.UserName)
	k := user + "\x00" + c
	r := f.remote[k]
	if r == nil {
		if len(f.remote) >= maxRemote {
			return
		}
		r = &detect.Finding{Detection: "D33", What: detect.RemoteScript, Level: l, Rung: evidence.Effect, First: e.At, Last: e.At, Account: user, As: e.Text(event.UserEffective), Runs: cmdline.Mask(c), Mechanism: e.Kind.String(), Attack: []string{"T1195", "T1059.004"},
			Title: user + " ran code straight from the network: " + cmdline.Mask(c), Detail: "from " + from, For: []evidence.Quote{cmdline.Quote(e.Quote(), c)}}
		if from == "" {
			r.Detail = "from an address without https"
		}
		if l == detect.Low {
			r.Detail += ", as its maker tells everybody to"
		}
		f.remote[k] = r
		f.remotes = append(f.remotes, r)
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
}

const maxRemote = 2000
