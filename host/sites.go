package host

import (
	"bytes"
	"path"
	"sort"
	"strings"

	"telltale/filesystem"
)

// Sites is what the web servers' own configuration names.
type Sites struct {
	Roots   []string             // directories that are served: DocumentRoot, root, Alias, ScriptAlias
	Formats map[string]LogFormat // by the log file's path
	Errors  []string             // error logs
	Files   []string             // the configuration files that were read
}

// LogFormat is an access log's format as configured.
type LogFormat struct{ Server, Format string }

// sites reads the configuration of apache and nginx. Includes are not followed one by one:
// all files of the usual configuration folders are read, which also finds a site
// that is there but not switched on.
func (h *Host) sites() Sites {
	s := Sites{Formats: map[string]LogFormat{}}
	for _, p := range h.configFiles("/etc/apache2", "/etc/httpd", "/usr/local/apache2/conf", "/etc/apache", "/usr/local/apache/conf") {
		s.Files = append(s.Files, p)
	}
	h.apache(&s, s.Files)
	ng := h.configFiles("/etc/nginx", "/usr/local/nginx/conf")
	h.nginx(&s, ng)
	s.Files = append(s.Files, ng...)
	for _, p := range usualRoots {
		s.Roots = append(s.Roots, h.folders(p)...)
	}
	s.Roots = roots(s.Roots)
	return s
}

// maxConfigFiles bounds what is read of a server's configuration.
const maxConfigFiles = 2000

func (h *Host) configFiles(dirs ...string) (files []string) {
	var visit func(dir string, depth int)
	visit = func(dir string, depth int) {
		if depth > 4 {
			return
		}
		for _, n := range h.names(dir) {
			p := join(dir, n)
			sub, err := h.Lookup(p)
			switch {
			case err != nil || len(files) >= maxConfigFiles:
			case sub.Meta.Type == filesystem.Directory:
				if n != "mods-available" && n != "modules" && n != "logs" {
					visit(p, depth+1)
				}
			case sub.Meta.Type == filesystem.Regular && sub.Meta.Size < 1<<20:
				if ext := path.Ext(n); ext == ".conf" || ext == "" || ext == ".vhost" || strings.Contains(dir, "sites-") {
					files = append(files, p)
				}
			}
		}
	}
	for _, d := range dirs {
		visit(d, 0)
	}
	return files
}

// apache reads DocumentRoot, Alias, ScriptAlias, LogFormat, CustomLog, TransferLog and ErrorLog.
func (h *Host) apache(s *Sites, files []string) {
	nick := map[string]string{
		"common":         `%h %l %u %t "%r" %>s %O`,
		"combined":       `%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`,
		"vhost_combined": `%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`,
	}
	logs := map[string]string{}
	vars := map[string]string{"APACHE_LOG_DIR": "/var/log/apache2"}
	root := ""
	for _, f := range files {
		b, err := h.ReadFile(f)
		if err != nil {
			continue
		}
		base := "/etc/httpd"
		if strings.HasPrefix(f, "/etc/apache2") {
			base = "/etc/apache2"
		} else if strings.HasPrefix(f, "/usr/local") {
			base = path.Dir(path.Dir(f))
		}
		for line := range bytes.Lines(b) {
			w := words(string(line))
			if len(w) < 2 {
				continue
			}
			for i := 1; i < len(w); i++ {
				w[i] = expand(w[i], vars)
			}
			abs := func(p string) string {
				if !strings.HasPrefix(p, "/") {
					return path.Join(base, p)
				}
				return path.Clean(p)
			}
			switch strings.ToLower(w[0]) {
			case "define":
				if len(w) > 2 {
					vars[w[1]] = w[2]
				}
			case "serverroot":
				root = w[1]
				base = root
			case "documentroot":
				s.Roots = append(s.Roots, abs(w[1]))
			case "alias", "scriptalias":
				if len(w) > 2 {
					s.Roots = append(s.Roots, abs(w[2]))
				}
			case "logformat":
				if len(w) > 2 {
					nick[w[2]] = w[1]
				}
			case "customlog":
				if len(w) > 2 && w[1][0] != '|' {
					logs[abs(w[1])] = w[2]
				}
			case "transferlog":
				if w[1][0] != '|' {
					logs[abs(w[1])] = "common"
				}
			case "errorlog":
				if w[1][0] != '|' && !strings.HasPrefix(w[1], "syslog") {
					s.Errors = append(s.Errors, abs(w[1]))
				}
			}
		}
	}
	for p, f := range logs {
		if n, ok := nick[f]; ok {
			f = n
		}
		if strings.Contains(f, "%") {
			s.Formats[p] = LogFormat{"apache", f}
		}
	}
}

// nginx reads root, alias, log_format, access_log and error_log.
func (h *Host) nginx(s *Sites, files []string) {
	formats := map[string]string{"combined": `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`}
	logs := map[string]string{}
	for _, f := range files {
		b, err := h.ReadFile(f)
		if err != nil {
			continue
		}
		for _, st := range statements(uncomment(string(b))) {
			w := words(st)
			if len(w) < 2 {
				continue
			}
			switch w[0] {
			case "root", "alias":
				if strings.HasPrefix(w[1], "/") && !strings.Contains(w[1], "$") {
					s.Roots = append(s.Roots, path.Clean(w[1]))
				}
			case "log_format":
				i := 2
				if len(w) > i && strings.HasPrefix(w[i], "escape=") {
					i++
				}
				formats[w[1]] = strings.Join(w[i:], "")
			case "access_log":
				if strings.HasPrefix(w[1], "/") {
					logs[path.Clean(w[1])] = "combined"
					if len(w) > 2 && !strings.Contains(w[2], "=") {
						logs[path.Clean(w[1])] = w[2]
					}
				}
			case "error_log":
				if strings.HasPrefix(w[1], "/") {
					s.Errors = append(s.Errors, path.Clean(w[1]))
				}
			}
		}
	}
	for p, f := range logs {
		if n := formats[f]; n != "" {
			s.Formats[p] = LogFormat{"nginx", n}
		}
	}
}

// roots sorts, drops doubles and what cannot be a site of its own.
func roots(in []string) (out []string) {
	sort.Strings(in)
	for i, r := range in {
		if r == "/" || i > 0 && r == in[i-1] || strings.HasPrefix(r, "/usr/share/apache2") || strings.HasPrefix(r, "/usr/share/javascript") {
			continue
		}
		out = append(out, r)
	}
	return out
}

// words cuts a line of configuration at blanks, quotes respected, up to a comment.
func words(line string) (out []string) {
	line = strings.TrimSpace(line)
	for line != "" && line[0] != '#' && len(out) < 64 {
		if q := line[0]; q == '"' || q == '\'' {
			var w strings.Builder
			i := 1
			for ; i < len(line) && line[i] != q; i++ {
				if line[i] == '\\' && i+1 < len(line) && (line[i+1] == q || line[i+1] == '\\') {
					i++
				}
				w.WriteByte(line[i])
			}
			out = append(out, w.String())
			line = strings.TrimLeft(line[min(i+1, len(line)):], " \t\r\n")
			continue
		}
		i := strings.IndexAny(line, " \t\r\n")
		if i < 0 {
			i = len(line)
		}
		out = append(out, line[:i])
		line = strings.TrimLeft(line[i:], " \t\r\n")
	}
	for _, w := range out {
		if w == "" {
			return nil
		}
	}
	return out
}

// statements cuts nginx's configuration at ";", "{" and "}" outside quotes.
func statements(s string) (out []string) {
	from := 0
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ';' || c == '{' || c == '}':
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[min(from, len(s)):])
}

func uncomment(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func expand(w string, vars map[string]string) string {
	for range 8 {
		i := strings.Index(w, "${")
		if i < 0 {
			break
		}
		j := strings.IndexByte(w[i:], '}')
		if j < 0 {
			break
		}
		w = w[:i] + vars[w[i+2:i+j]] + w[i+j+1:]
	}
	return w
}
