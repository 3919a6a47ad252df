package commands

import (
	"bytes"
	"net/netip"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// fetchesAndRuns is how package detect words code that is run as it comes from the network.
const fetchesAndRuns = "runs code that it fetches from the network"

// installers are hosts whose makers tell everybody to run what they give. It is trust all the same, and a way in for who holds the host.
var installers = []string{"get.docker.com", "test.docker.com", "sh.rustup.rs", "get.k3s.io", "get.rke2.io", "deb.nodesource.com", "rpm.nodesource.com", "raw.githubusercontent.com/nvm-sh", "raw.githubusercontent.com/ohmyzsh", "raw.githubusercontent.com/Homebrew", "raw.githubusercontent.com/helm",
	"raw.githubusercontent.com/pyenv", "pyenv.run", "get.helm.sh", "install.python-poetry.org", "astral.sh", "getcomposer.org", "get.acme.sh", "bun.sh", "deno.land", "get.sdkman.io", "get.rvm.io", "starship.rs", "tailscale.com", "my.netdata.cloud", "get.netdata.cloud", "packages.gitlab.com",
	"packagecloud.io", "repos.insights.digitalocean.com", "dl.google.com/cloudagents", "get.pnpm.io", "yarnpkg.com", "ollama.com", "install.crowdsec.net", "get.volta.sh", "sdk.cloud.google.com", "downloads.mariadb.com", "r.mariadb.com"}

// remote gives where the code that a command fetches comes from, and how grave it is to run it: from a maker that everybody trusts little, from a host with
// a name by https more, from an address or by http most.
func remote(c string) (from string, l detect.Level) {
	i := strings.Index(c, "http://")
	if j := strings.Index(c, "https://"); j >= 0 && (i < 0 || j < i) {
		i = j
	}
	if i < 0 {
		return "", detect.High // "curl 203.0.113.6/x | sh"
	}
	url := c[i:]
	if j := strings.IndexAny(url, " \t'\"|;)>"); j >= 0 {
		url = url[:j]
	}
	rest, secure := strings.CutPrefix(url, "https://")
	if !secure {
		return url, detect.High
	}
	for _, x := range installers {
		if after, ok := strings.CutPrefix(rest, x); ok && (after == "" || after[0] == '/' || after[0] == '?') {
			return url, detect.Low
		}
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return url, detect.High
	}
	return url, detect.Medium
}

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
	from, l := remote(c)
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
