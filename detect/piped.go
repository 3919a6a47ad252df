package detect

import (
	"net/netip"
	"slices"
	"strings"

	"telltale/internal/urls"
)

// interpreters are the programs that run what they read, if no argument gives them another program.
var interpreters = []string{"sh", "bash", "dash", "zsh", "ksh", "python", "python3", "perl", "php", "ruby"}

// runsInput tells whether a pipe, in lower case, ends in an interpreter that runs what comes through it. "| python3 -m json.tool", "| perl -ne '...'" and
// "| bash script" run another program, for which it is data.
func runsInput(c string) bool {
	c = strings.ReplaceAll(c, "||", ";")
	for i, part := range strings.Split(c, "|") {
		if end := strings.IndexAny(part, ";&)}`\n"); end >= 0 {
			part = part[:end]
		}
		w := strings.Fields(strings.Map(unquoted, part))
		for len(w) > 0 && (w[0] == "sudo" || w[0] == "env" || w[0] == "exec" || w[0] == "nohup" || strings.HasPrefix(w[0], "-")) {
			w = w[1:]
		}
		if i == 0 || len(w) == 0 {
			continue
		}
		name := w[0]
		for _, dir := range []string{"/bin/", "/usr/bin/", "/usr/local/bin/"} {
			name = strings.TrimPrefix(name, dir)
		}
		if slices.Contains(interpreters, name) && readsInput(name, w[1:]) {
			return true
		}
	}
	return false
}

// unquoted makes blanks of quotes: what stands within them may be a command line.
func unquoted(r rune) rune {
	if r == '\'' || r == '"' {
		return ' '
	}
	return r
}

// readsInput tells whether an interpreter with these arguments runs its standard input.
func readsInput(name string, args []string) bool {
	shell := strings.HasSuffix(name, "sh")
	for _, a := range args {
		switch {
		case a == "-" || a == "--" || a == "/dev/stdin" || strings.ContainsAny(a, "<>"):
			return true
		case shell && strings.HasPrefix(a, "-"):
			if strings.Contains(a, "s") && !strings.HasPrefix(a, "--") {
				return true
			}
			if strings.Contains(a, "c") && !strings.HasPrefix(a, "--") {
				return false
			}
		case strings.HasPrefix(a, "-"):
			if strings.ContainsAny(a, "cmernpfb") {
				return false
			}
		default:
			return false // a file
		}
	}
	return true
}

// pasted are places where anybody puts code without a name, and hosts that nobody can find.
var pasted = []string{"pastebin.", "paste.", "hastebin", "ghostbin", "transfer.sh", "termbin", "ix.io", "0x0.st", "oshi.at", "bashupload", ".onion", "tor2web", "onion.", "ngrok", "trycloudflare", "discordapp", "anonfiles", "file.io", "gist."}

// Pasted tells whether an address is of such a place.
func Pasted(from string) bool {
	return slices.ContainsFunc(pasted, func(p string) bool { return strings.Contains(strings.ToLower(from), p) })
}

// fetchedLevel tells how grave it is that a machine runs by itself what it fetches. From a maker that tells everybody to, it is trust; from a host with a name, by
// https, an administrator may do it, too; from an address, by http or from where anybody puts code, hardly. Mirrors within the own networks have neither name nor certificate.
func fetchedLevel(c string) Level {
	from, l := FetchedFrom(c)
	switch {
	case l <= Low:
		return Medium
	case l <= Medium && !Pasted(from), nearFetch(from):
		return High
	}
	return Critical
}

// makers are hosts whose owners tell everybody to run what they give. It is trust all the same, and a way in for who holds the host.
var makers = []string{"get.docker.com", "test.docker.com", "sh.rustup.rs", "get.k3s.io", "get.rke2.io", "deb.nodesource.com", "rpm.nodesource.com", "raw.githubusercontent.com/nvm-sh", "raw.githubusercontent.com/ohmyzsh", "raw.githubusercontent.com/Homebrew", "raw.githubusercontent.com/helm",
	"raw.githubusercontent.com/pyenv", "pyenv.run", "get.helm.sh", "install.python-poetry.org", "astral.sh", "getcomposer.org", "get.acme.sh", "bun.sh", "deno.land", "get.sdkman.io", "get.rvm.io", "starship.rs", "tailscale.com", "my.netdata.cloud", "get.netdata.cloud", "packages.gitlab.com",
	"packagecloud.io", "repos.insights.digitalocean.com", "dl.google.com/cloudagents", "get.pnpm.io", "yarnpkg.com", "ollama.com", "install.crowdsec.net", "get.volta.sh", "sdk.cloud.google.com", "downloads.mariadb.com", "r.mariadb.com"}

// FetchedFrom gives where the code that a command fetches comes from, and how grave it is to run it: from a maker that everybody trusts little, from a host with
// a name by https more, from an address or by http most.
func FetchedFrom(c string) (from string, l Level) {
	i := strings.Index(c, "http://")
	if j := strings.Index(c, "https://"); j >= 0 && (i < 0 || j < i) {
		i = j
	}
	if i < 0 {
		return "", High // "curl 203.0.113.6/x | sh"
	}
	url := c[i:]
	if j := strings.IndexAny(url, " \t'\"|;)>"); j >= 0 {
		url = url[:j]
	}
	rest, secure := strings.CutPrefix(url, "https://")
	if !secure {
		return url, High
	}
	for _, x := range makers {
		if after, ok := strings.CutPrefix(rest, x); ok && (after == "" || after[0] == '/' || after[0] == '?') {
			return url, Low
		}
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return url, High
	}
	return url, Medium
}

// ownFetch tells whether all that a command fetches comes from this machine or from the cloud that it runs in, which knows what it is to run.
func ownFetch(c string) bool {
	return urls.EveryHost(c, "://", "/:", func(host string) bool {
		a, err := netip.ParseAddr(strings.TrimRight(host, " \t'\"|;)>"))
		return host == "localhost" || err == nil && (a.IsLoopback() || a.IsLinkLocalUnicast())
	})
}

// looksAtPort tells a use of bash's /dev/tcp that only asks whether a port answers, as who waits for a database does: nothing but an empty word goes there, and no
// shell is given the connection. Within the own networks a request may go there and its answer come back.
func looksAtPort(c string) bool {
	near := true
	for rest := c; ; {
		i := strings.Index(rest, "/dev/tcp/")
		if i < 0 {
			break
		}
		before := strings.TrimRight(rest[:i], " ")
		rest = rest[i+len("/dev/tcp/"):]
		host, _, _ := strings.Cut(rest, "/")
		a, err := netip.ParseAddr(host)
		near = near && (host == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate()))
		if !near && !emptyWord(before) {
			return false
		}
	}
	for _, given := range []string{"sh -i", "sh -li", "sh <&", "sh 0<&", "sh >&", "sh 0>&", "sh 1>&", "sh &>", "sh <>", "| sh", "|sh", "| bash", "|bash", "while read", "eval", " -i>", " -i >"} {
		if strings.Contains(c, given) {
			return false
		}
	}
	return near || !strings.Contains(c, "<&") && !strings.Contains(c, "<>")
}

// emptyWord tells that what stands before a redirection sends nothing: "echo >", "<", ": >", "printf ” >".
func emptyWord(before string) bool {
	switch {
	case strings.HasSuffix(before, ">&"), strings.HasSuffix(before, "<>"), strings.HasSuffix(before, "<&"):
		return false
	case strings.HasSuffix(before, "<"):
		return true
	}
	before = strings.TrimRight(strings.TrimRight(before, ">"), " ")
	if i := strings.LastIndexAny(before, ";|&({'\"`"); i >= 0 {
		before = before[i+1:]
	}
	w := strings.Fields(before)
	for len(w) > 0 && (w[0] == "until" || w[0] == "while" || w[0] == "if" || w[0] == "!" || w[0] == "do" || w[0] == "then") {
		w = w[1:]
	}
	return len(w) == 0 || len(w) == 1 && (w[0] == "echo" || w[0] == ":" || w[0] == "true" || w[0] == "printf")
}

// minerLevel tells how grave a miner is: owners run them on purpose, too, but not out of places that hide them.
func minerLevel(c string) Level {
	for _, w := range programs(c) {
		if InVolatileDir(w) || HiddenPath(w) != "" || tuckedAway(w) != "" {
			return Critical
		}
	}
	return High
}

// servesShell tells whether socat, in a line in lower case, is told to start a shell, and not a program that serves a port.
func servesShell(c string) bool {
	for _, word := range []string{"exec:", "system:"} {
		_, rest, ok := strings.Cut(c, word)
		if !ok {
			continue
		}
		w := strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(" ,'\"", r) })
		if len(w) == 0 {
			return true // what is started does not stand here
		}
		name := w[0][strings.LastIndexByte(w[0], '/')+1:]
		if slices.Contains(interpreters, name) || name == "login" || name == "ash" || name == "busybox" || strings.ContainsAny(name, "$`") {
			return true
		}
	}
	return false
}
