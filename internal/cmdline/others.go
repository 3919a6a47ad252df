package cmdline

import "strings"

// nc reads "nc [options] host port"; a listener reaches for nobody.
func nc(c *Command) []Target {
	how, listens := Connection, false
	ops := operands(c.Words[1:], "ceGgIiOopPqsTVwXxmM", []string{"--exec", "--sh-exec", "--source", "--source-port", "--wait", "--idle-timeout", "--proxy", "--proxy-type", "--output"}, func(name, _ string) {
		switch name {
		case "-l", "-U", "--listen", "--unixsock":
			listens = true
		case "-z":
			how = Scan
		}
	})
	if listens || len(ops) < 2 {
		return nil
	}
	t := host(ops[0], how)
	t.Port = ops[1]
	return []Target{t}
}

func telnet(c *Command) []Target {
	ops := operands(c.Words[1:], "lnbeSX", nil, ignore)
	out := firstHost(ops, Connection)
	if len(ops) > 1 && len(out) > 0 {
		out[0].Port = ops[1]
	}
	return out
}

func ftp(c *Command) []Target {
	ops := operands(c.Words[1:], "euPpcfNosT", []string{"--user", "--password", "--port"}, ignore)
	return firstHost(ops, Connection)
}

// socat reads addresses such as "TCP:host:port" and "OPENSSL-CONNECT:host:port,verify=0"; those that listen name nobody.
func socat(c *Command) (out []Target) {
	for _, w := range c.Words[1:] {
		kind, rest, ok := strings.Cut(w, ":")
		k := strings.ToLower(kind)
		if !ok || strings.Contains(k, "listen") || strings.HasSuffix(k, "-l") {
			continue
		}
		for _, p := range []string{"tcp", "udp", "openssl", "ssl", "sctp", "socks", "proxy"} {
			if strings.HasPrefix(k, p) {
				rest, _, _ = strings.Cut(rest, ",")
				out = append(out, host(rest, Connection))
				break
			}
		}
	}
	return out
}

func openssl(c *Command) (out []Target) {
	if len(c.Words) < 2 || c.Words[1] != "s_client" {
		return nil
	}
	for i, w := range c.Words[2:] {
		if (w == "-connect" || w == "-host" || w == "--connect") && i+3 < len(c.Words) {
			out = append(out, host(c.Words[i+3], Connection))
		}
	}
	return out
}

// clientValues are the letters of options that take a value, by client. The "-p" of mysql is not among them: its password hangs on it or is asked for.
var clientValues = map[string]string{"mysql": "heuPDS", "psql": "cdfFhLopPRTUv", "pg_dump": "hUpdfFnNtTEjZS", "redis-cli": "hpanuisrd", "mongo": "hu"}

// database reads -h, --host and connection strings of databases' clients. "-h" without a value asks for help.
func database(c *Command) (out []Target) {
	name := c.Name()
	values, ok := clientValues[name]
	switch {
	case ok:
	case strings.HasPrefix(name, "pg_"):
		values = clientValues["pg_dump"]
	case strings.HasPrefix(name, "mongo"):
		values = clientValues["mongo"]
	default:
		values = clientValues["mysql"]
	}
	w := c.Words[1:]
	if !strings.Contains(values, "p") {
		w = nil
		for _, x := range c.Words[1:] {
			if !strings.HasPrefix(x, "-p") { // letters of a password are no options
				w = append(w, x)
			}
		}
	}
	long := []string{"--host", "--user", "--port", "--dbname", "--username", "--uri", "--file", "--command", "--execute", "--socket", "--pass"}
	ops := operands(w, values, long, func(name, v string) {
		if name == "-h" || name == "--host" || strings.Contains(v, "://") {
			out = append(out, host(v, Connection))
		}
	})
	for _, o := range ops {
		if strings.Contains(o, "://") {
			out = append(out, host(o, Connection))
		}
		for _, w := range strings.Fields(o) { // psql "host=db user=x"
			if h, ok := strings.CutPrefix(w, "host="); ok {
				out = append(out, host(h, Connection))
			}
		}
	}
	return out
}

// share reads //host/share, host:/export and smbclient's -L host.
func share(c *Command) (out []Target) {
	if c.Name() == "smbclient" {
		operands(c.Words[1:], "UILMpWcAnmDTtbOs", nil, func(name, v string) {
			if name == "-L" || name == "-I" {
				out = append(out, host(strings.TrimLeft(v, "/"), Connection))
			}
		})
	}
	for _, w := range c.Words[1:] {
		if rest, ok := strings.CutPrefix(w, "//"); ok {
			h, _, _ := strings.Cut(rest, "/")
			out = append(out, host(h, Connection))
		} else if i := strings.Index(w, ":/"); i > 0 && c.Name() == "mount" && w[0] != '-' && !strings.HasPrefix(w[i:], "://") {
			out = append(out, host(w[:i], Connection))
		}
	}
	return out
}

// scan gives the addresses and networks that are scanned: a network stands for itself.
func scan(c *Command) (out []Target) {
	for _, w := range operands(c.Words[1:], "pToiegDSsPxRwuULbcCVhAX", []string{"--rate", "--script", "--ports", "--top-ports", "--exclude", "--excludefile", "--max-rate", "--min-rate", "--interface", "--source-port", "--bandwidth", "--output-file"}, ignore) {
		if net, bits, ok := strings.Cut(w, "/"); ok && strings.Trim(bits, "0123456789") == "" {
			w = net
		}
		out = append(out, bare(w, Scan))
	}
	return out
}
