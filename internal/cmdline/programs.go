package cmdline

import "strings"

// Options that take a value: of OpenSSH's ssh.c, scp.c and sftp.c.
const (
	sshValues  = "BbcDEeFIiJLlmOoPpQRSWw"
	scpValues  = "cDFiJloPSX"
	sftpValues = "BbcDFiJloPRSsX"
)

// ssh reads "ssh [options] host [options] [command ...]".
func ssh(c *Command) (out []Target) {
	values := sshValues
	if c.Name() == "autossh" {
		values += "M"
	}
	to, port, quiet := Target{}, "", false
	seen := func(name, v string) {
		switch name {
		case "-p":
			port = v
		case "-J":
			out = append(out, jumps(v)...)
		case "-W":
			out = append(out, host(v, SSH))
		case "-o":
			out = append(out, optioned(v)...)
		case "-Q", "-G", "-V": // only ask ssh itself
			quiet = true
		}
	}
	w := c.Words[1:]
	for i := 0; i < len(w); i++ {
		if x := w[i]; len(x) > 1 && x[0] == '-' && x != "--" {
			i = short(w, i, values, seen)
		} else if x == "--" {
			continue
		} else if to.Host != "" {
			break // the command, which runs there
		} else if to = host(x, SSH); to.Host == "" {
			return nil
		}
	}
	if quiet {
		return nil
	}
	if port != "" {
		to.Port = port
	}
	return append(out, to)
}

// jumps reads "user@host:port,host".
func jumps(v string) (out []Target) {
	for _, j := range strings.Split(v, ",") {
		if !strings.EqualFold(j, "none") {
			out = append(out, host(j, SSH))
		}
	}
	return out
}

// optioned reads those of -o that name a machine.
func optioned(v string) []Target {
	k, h, ok := strings.Cut(v, "=")
	if !ok {
		k, h, _ = strings.Cut(v, " ")
	}
	switch strings.ToLower(strings.TrimSpace(k)) {
	case "proxyjump":
		return jumps(strings.TrimSpace(h))
	case "hostname":
		return []Target{host(strings.TrimSpace(h), SSH)}
	}
	return nil
}

func mosh(c *Command) []Target {
	return firstHost(operands(c.Words[1:], "p", []string{"--ssh", "--client", "--server", "--port", "--bind-server", "--predict", "--family"}, ignore), SSH)
}

func copyID(c *Command) []Target {
	return firstHost(operands(c.Words[1:], "ipoFt", nil, ignore), SSH)
}

func firstHost(ops []string, how string) []Target {
	if len(ops) == 0 {
		return nil
	}
	return []Target{host(ops[0], how)}
}

func keyscan(c *Command) (out []Target) {
	for _, o := range operands(c.Words[1:], "fpTtO", nil, ignore) {
		for _, h := range strings.Split(o, ",") {
			out = append(out, host(h, Scan))
		}
	}
	return out
}

// remote reads "user@host:path" as scp and rsync do: a colon before any slash.
func remote(s, how string) Target {
	if strings.HasPrefix(s, "scp://") || strings.HasPrefix(s, "sftp://") || strings.HasPrefix(s, "rsync://") {
		return host(s, how)
	}
	at := s
	if i := strings.IndexByte(s, '@'); i >= 0 {
		at = s[i+1:]
	}
	i := strings.IndexByte(at, ':')
	if strings.HasPrefix(at, "[") { // an address of IPv6
		i = strings.Index(at, "]:") + 1
	}
	if j := strings.IndexByte(at, '/'); i <= 0 || j >= 0 && j < i {
		return Target{}
	}
	return host(s[:len(s)-len(at)+i], how)
}

func scp(c *Command) []Target {
	return copied(operands(c.Words[1:], scpValues, nil, ignore))
}

// copied reads operands of which the last is where to.
func copied(ops []string) (out []Target) {
	if len(ops) < 2 {
		return nil
	}
	var files []string
	for _, o := range ops[:len(ops)-1] {
		if t := remote(o, Download); t.Host != "" {
			out = append(out, t)
		} else if !strings.Contains(o, "://") {
			files = append(files, o)
		}
	}
	to := remote(ops[len(ops)-1], Upload)
	to.Files = files
	return append(out, to)
}

func sftp(c *Command) []Target {
	ops := operands(c.Words[1:], sftpValues, nil, ignore)
	if len(ops) == 0 {
		return nil
	}
	if t := remote(ops[0], SSH); t.Host != "" {
		return []Target{t}
	}
	return firstHost(ops, SSH)
}

var rsyncLong = []string{"--rsh", "--rsync-path", "--exclude", "--include", "--exclude-from", "--include-from", "--files-from", "--filter", "--password-file", "--log-file", "--bwlimit", "--port", "--temp-dir", "--partial-dir", "--backup-dir", "--suffix", "--compare-dest", "--copy-dest", "--link-dest",
	"--chmod", "--chown", "--max-size", "--min-size", "--timeout", "--contimeout", "--out-format", "--info", "--debug", "--address", "--max-delete", "--remote-option", "--block-size", "--modify-window", "--usermap", "--groupmap"}

func rsync(c *Command) []Target {
	return copied(operands(c.Words[1:], "efBTM@", rsyncLong, ignore))
}

const (
	curlValues = "AbcCdDeEFHKmoPQrtTuUwxXyYz"
	wgetValues = "OoaPtTQwUeiBDARIXl"
)

var (
	curlLong = []string{"--request", "--header", "--data", "--data-binary", "--data-raw", "--data-urlencode", "--json", "--form", "--form-string", "--upload-file", "--output", "--user", "--user-agent", "--referer", "--proxy", "--cookie", "--cookie-jar", "--connect-timeout", "--max-time", "--retry", "--retry-delay", "--limit-rate",
		"--cacert", "--cert", "--key", "--interface", "--resolve", "--write-out", "--config", "--range", "--dump-header", "--proxy-user", "--oauth2-bearer", "--max-redirs", "--socks5", "--socks5-hostname", "--unix-socket", "--output-dir", "--netrc-file", "--url-query", "--ciphers", "--continue-at", "--quote", "--time-cond", "--speed-limit", "--speed-time"}
	wgetLong = []string{"--output-document", "--output-file", "--directory-prefix", "--user-agent", "--header", "--post-data", "--post-file", "--body-file", "--body-data", "--method", "--tries", "--timeout", "--user", "--password", "--http-user", "--http-password", "--referer", "--input-file", "--limit-rate", "--level", "--accept", "--reject", "--execute"}
)

func curl(c *Command) (out []Target) {
	how := Download
	var files, urls []string
	urls = append(urls, operands(c.Words[1:], curlValues, curlLong, func(name, v string) {
		switch name {
		case "--url":
			urls = append(urls, v)
		case "-T", "--upload-file":
			how, files = Upload, append(files, v)
		case "-F", "--form":
			if _, x, ok := strings.Cut(v, "="); ok && x != "" && (x[0] == '@' || x[0] == '<') {
				x, _, _ = strings.Cut(x[1:], ";")
				how, files = Upload, append(files, x)
			}
		case "-d", "--data", "--data-binary", "--data-urlencode", "--json":
			if i := strings.IndexByte(v, '@'); i == 0 || i > 0 && name == "--data-urlencode" && !strings.Contains(v[:i], "=") {
				how, files = Upload, append(files, v[i+1:])
			} else if how == Download {
				how = Connection
			}
		case "--data-raw":
			if how == Download {
				how = Connection
			}
		}
	})...)
	return addressed(urls, how, files)
}

// addressed makes targets of URLs, and of hosts without a scheme.
func addressed(urls []string, how string, files []string) (out []Target) {
	for _, u := range urls {
		t := bare(u, how)
		if strings.Contains(u, "://") && !strings.HasPrefix(u, "file:") {
			t = host(u, how)
		}
		if how == Upload {
			t.Files = files
		}
		out = append(out, t)
	}
	return out
}

func wget(c *Command) []Target {
	how := Download
	var files []string
	urls := operands(c.Words[1:], wgetValues, wgetLong, func(name, v string) {
		switch name {
		case "--post-file", "--body-file":
			how, files = Upload, append(files, v)
		case "--post-data", "--body-data":
			how = Connection
		}
	})
	return addressed(urls, how, files)
}

// fetch is a program of which only URLs are sure.
func fetch(c *Command) (out []Target) {
	for _, w := range c.Words[1:] {
		if strings.Contains(w, "://") && !strings.HasPrefix(w, "file:") {
			out = append(out, host(w, Download))
		}
	}
	return out
}

// git reads "git clone URL" and "git push URL"; a push to a name that the repository knows tells nothing.
func git(c *Command) (out []Target) {
	if len(c.Words) < 3 || c.Words[1] != "clone" && c.Words[1] != "push" {
		return nil
	}
	how := Download
	if c.Words[1] == "push" {
		how = Upload
	}
	for _, w := range c.Words[2:] {
		switch {
		case strings.Contains(w, "://") && !strings.HasPrefix(w, "file:"):
			out = append(out, host(w, how))
		case strings.Contains(w, "@") && w[0] != '-':
			out = append(out, remote(w, how))
		}
	}
	return out
}
