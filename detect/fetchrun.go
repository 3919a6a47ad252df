package detect

import (
	"path"
	"slices"
	"strings"
)

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
				return !slices.Contains(notMiners, path.Base(w[j])) && (hidden || slices.Contains(w, "-u") || slices.Contains(w, "--user"))
			}
		}
	}
	return false
}

// notMiners are programs that take something else behind -o.
var notMiners = []string{"curl", "wget", "ssh", "scp", "sftp", "mount", "rsync", "tar", "sort", "gcc", "cc", "java", "tcpdump", "openssl", "ps", "lsof"}
