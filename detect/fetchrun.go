package detect

import (
	"net/netip"
	"path"
	"slices"
	"strings"
)

// RunsFetched tells whether a command makes what it fetches a program, or runs it: what it only puts away is data.
func RunsFetched(c string) bool {
	low := strings.ToLower(c)
	return strings.Contains(low, "chmod ") || runsFetched(low)
}

// runsFetched tells whether a command line, in lower case, goes on to run the file that it fetched: "wget http://…/x.sh; bash x.sh", "curl -O …/x && ./x".
func runsFetched(c string) bool {
	names := fetchedNames(c)
	if len(names) == 0 {
		return false
	}
	for _, simple := range strings.FieldsFunc(c, func(r rune) bool { return r == ';' || r == '|' || r == '&' || r == '\n' }) {
		w := strings.Fields(simple)
		for len(w) > 0 && (w[0] == "sudo" || w[0] == "nohup" || w[0] == "setsid" || w[0] == "exec") {
			w = w[1:]
		}
		if len(w) > 1 && slices.Contains(interpreters, path.Base(w[0])) && w[0] != "php" { // php runs what it fetches of a site's own: composer, wp-cli
			w = slices.DeleteFunc(w[1:], func(x string) bool { return strings.HasPrefix(x, "-") })
		} else if len(w) > 0 && !strings.Contains(w[0], "/") {
			continue
		}
		if len(w) > 0 && slices.Contains(names, path.Base(strings.Trim(w[0], `'"`))) {
			return true
		}
	}
	return false
}

// nearFetch tells an address of one's own networks: mirrors stand there that have no name, and no certificate.
func nearFetch(from string) bool {
	_, rest, _ := strings.Cut(from, "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsPrivate()
}

// fetchedNames gives the names of the files that a command line fetches by curl or wget.
func fetchedNames(c string) (out []string) {
	for _, simple := range strings.FieldsFunc(c, func(r rune) bool { return r == ';' || r == '|' || r == '&' || r == '\n' }) {
		w := strings.Fields(simple)
		if !slices.ContainsFunc(w, func(x string) bool { b := path.Base(x); return b == "curl" || b == "wget" }) {
			continue
		}
		for i, x := range w {
			x = strings.Trim(x, `'"`)
			switch {
			case i > 0 && (w[i-1] == "-o" || w[i-1] == "--output" || w[i-1] == "--output-document"):
				out = append(out, path.Base(x))
			case strings.Contains(x, "/") && strings.Contains(x, ".") && path.Base(x) != "." && !strings.HasSuffix(x, "/"):
				out = append(out, path.Base(x))
			}
		}
	}
	return out
}

// minesByOptions tells a program that is given a pool, and hides or names whom it works for, as miners of all kinds do: "-o pool.example.com:3333 -u …". What curl, ssh and mount are given so is something else.
func minesByOptions(c string) bool {
	w := strings.Fields(c)
	for i, x := range w {
		if i == 0 || w[i-1] != "-o" {
			continue
		}
		host, port, ok := strings.Cut(strings.Trim(x, `'"`), ":")
		if !ok || len(port) < 2 || len(port) > 5 || strings.Trim(port, "0123456789") != "" || !strings.Contains(host, ".") || strings.ContainsAny(host, "/=,@") {
			continue
		}
		for j := i - 2; j >= 0; j-- { // the program that the option is given to
			if !strings.HasPrefix(w[j], "-") && (j == 0 || strings.ContainsAny(w[j-1], ";|&(") || strings.HasPrefix(w[j], "/") || strings.HasPrefix(w[j], "./")) {
				hidden := InVolatileDir(w[j]) || HiddenPath(w[j]) != "" || tuckedAway(w[j]) != ""
				return !slices.Contains(notMiners, path.Base(w[j])) && (hidden || forPool(w, host))
			}
		}
	}
	return false
}

// forPool tells the words of a miner from those of whatever else sends to a host and a port under a name: a purse, a pool's name, or what only miners are told.
func forPool(w []string, host string) bool {
	named := false
	for i, x := range w {
		x = strings.Trim(x, `'"`)
		switch {
		case i > 0 && (w[i-1] == "-u" || w[i-1] == "--user"):
			named = true
			purse, _, _ := strings.Cut(x, ".")
			if len(purse) >= shortestPurse && !strings.ContainsAny(purse, "@/:") {
				return true
			}
		case i > 0 && (w[i-1] == "-p" || w[i-1] == "--pass"):
			if named && strings.EqualFold(x, "x") { // pools ask for no password
				return true
			}
		}
	}
	if !named {
		return false
	}
	for _, p := range []string{"pool", "mine", "mining", "xmr", "monero", "hash", "coin", "nano"} {
		if strings.Contains(host, p) {
			return true
		}
	}
	return slices.ContainsFunc(w, func(x string) bool {
		name, _, _ := strings.Cut(x, "=")
		return slices.Contains(minerOptions, name)
	})
}

// shortestPurse is how long the address of a purse is at least.
const shortestPurse = 26

// minerOptions are those of miners alone.
var minerOptions = []string{"--donate-level", "--coin", "--algo", "--nicehash", "--rig-id", "--cpu-priority", "--cpu-max-threads-hint", "--max-cpu-usage", "--randomx-mode", "--no-huge-pages", "-a"}

// notMiners are programs that take something else behind -o.
var notMiners = []string{"curl", "wget", "ssh", "scp", "sftp", "mount", "rsync", "tar", "sort", "gcc", "cc", "java", "tcpdump", "openssl", "ps", "lsof"}
