package web

import (
	"bytes"
	"strings"

	"telltale/detect"
)

// attackClass tells in words what a request tries, "" for an ordinary one. It decodes the request twice,
// for intruders encode twice, and looks for the grammar of an attack, not for single words.
func attackClass(url, agent, referer []byte) string {
	for _, h := range [][]byte{agent, referer} {
		if bytes.HasPrefix(h, []byte("() {")) {
			return "the shellshock bug (CVE-2014-6271)"
		}
		if bytes.Contains(h, []byte("${jndi:")) {
			return "the log4j bug (CVE-2021-44228)"
		}
	}
	if !interesting(url) {
		return ""
	}
	u := strings.ToLower(decode([]byte(decode(url))))
	u = strings.Map(func(r rune) rune {
		if r > 0 && r < ' ' && r != '\n' && r != '\t' { // "..%01/" went past filters
			return -1
		}
		return r
	}, u)
	path, query, _ := strings.Cut(u, "?")
	switch {
	case strings.Contains(u, "${jndi:") || strings.Contains(u, "${${"):
		return "the log4j bug (CVE-2021-44228)"
	case strings.Contains(u, "<?php") || strings.Contains(u, "allow_url_include") || strings.Contains(u, "auto_prepend_file") || strings.Contains(u, "php://input") ||
		strings.Contains(u, "call_user_func_array") || strings.Contains(u, "eval(") || strings.Contains(u, "base64_decode(") || strings.Contains(u, "expect://"):
		return "code injection"
	case calls(u):
		return "code injection"
	case shell(query) || shell(path):
		return "command injection"
	case strings.Contains(u, "../../") || strings.Contains(u, "..\\..\\") || strings.Contains(u, "/etc/passwd") || strings.Contains(u, "/proc/self/environ") || strings.Contains(u, "php://filter"):
		return "reading files outside the site"
	case ordered(query):
		return "orders to a shell in a parameter"
	case sql(query):
		return "SQL injection"
	case strings.Contains(query, "<script") || strings.Contains(query, "javascript:") || strings.Contains(query, "onerror="):
		return "script injection into pages"
	}
	return ""
}

// starters are what code in a request starts programs or writes files by, with what stands behind it in an attack and not in a search for the word.
var starters = [...]struct{ call, behind string }{
	{"system(", "\"'$c"}, {"passthru(", "\"'$c"}, {"shell_exec(", "\"'$c"}, {"popen(", "\"'$c"}, {"proc_open(", "\"'$c"}, {"fwrite(", "f$"}, {"file_put_contents(", "\"'$c"},
	{"getruntime()", ".),"}, {"processbuilder(", "\"'{nasj"}, {"child_process\")", "."}, {"child_process')", "."}, {"__import__(", "\"'"},
}

// calls tells code of PHP, Java, Python or JavaScript that starts programs.
func calls(u string) bool {
	for _, s := range starters {
		for rest := u; ; {
			i := strings.Index(rest, s.call)
			if i < 0 {
				break
			}
			begins := i == 0 || rest[i-1] < 'a' && rest[i-1] != '_' || rest[i-1] > 'z' || s.call[0] == 'g' || s.call[0] == 'p'
			if rest = rest[i+len(s.call):]; begins && rest != "" && strings.IndexByte(s.behind, rest[0]) >= 0 {
				return true
			}
		}
	}
	return false
}

// interesting is the cheap test before the decoding: ordinary requests hold none of these.
func interesting(u []byte) bool {
	plus := false
	for _, c := range u {
		switch c {
		case '+':
			plus = true
		case '%', ';', '|', '`', '$', '\'', '(', '<', '\\':
			return true
		}
	}
	if plus && (bytes.Contains(u, []byte("nion")) || bytes.Contains(u, []byte("NION")) || bytes.Contains(u, []byte("1=1"))) {
		return true
	}
	if i := bytes.IndexByte(u, '?'); i >= 0 && (bytes.Contains(u[i:], []byte("=id")) || bytes.Contains(u[i:], []byte("=whoami"))) {
		return true
	}
	return bytes.Contains(u, []byte("..")) || bytes.Contains(u, []byte("://")) || bytes.Contains(u, []byte("/etc/"))
}

// shell tells whether a shell's separator is followed by a command.
func shell(s string) bool {
	for i := 0; i < len(s); i++ {
		n := 0
		switch {
		case s[i] == ';' || s[i] == '|' || s[i] == '`' || s[i] == '\n':
			n = 1
		case s[i] == '&' && i+1 < len(s) && s[i+1] == '&', s[i] == '$' && i+1 < len(s) && s[i+1] == '(':
			n = 2
		default:
			continue
		}
		w := strings.TrimLeft(s[i+n:], " \t+|`(")
		w = strings.TrimPrefix(strings.TrimPrefix(w, "/usr"), "/bin/")
		if j := strings.IndexAny(w, " \t;|&+`)'\"<>$\n"); j >= 0 {
			rest := w[j:]
			w = w[:j]
			if rest[0] == '=' {
				continue
			}
		}
		switch w {
		case "wget", "curl", "id", "uname", "cat", "bash", "sh", "nc", "ncat", "ping", "sleep", "whoami", "ls", "chmod", "perl", "python", "python3", "php", "tftp", "busybox", "cd", "rm", "ifconfig", "netstat", "nslookup", "echo":
			return true
		}
	}
	return false
}

// ordered tells a parameter that is named for a command and holds one: who uses a web shell sends it, and whoever looks for one.
func ordered(query string) bool {
	for _, p := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == '?' }) {
		k, v, ok := strings.Cut(p, "=")
		v = strings.ReplaceAll(strings.TrimSpace(v), "+", " ")
		if v == "id" && (k == "c" || k == "exe") { // a column of a table
			continue
		}
		if ok && (k == "cmd" || k == "exec" || k == "command" || k == "c" || k == "shell" || k == "exe") && order(v) {
			return true
		}
	}
	return false
}

func order(v string) bool {
	switch v {
	case "id", "whoami", "uname -a", "cat /etc/passwd", "cat /etc/shadow", "ls -la", "ls -al", "ps aux", "netstat -an":
		return true
	}
	for _, w := range [...]string{"wget http", "wget -", "curl http", "curl -", "bash -", "sh -c", "bash /", "sh /", "nc ", "python -c", "python3 -c", "perl -e", "cat /etc/", "chmod +x", "chmod 7"} {
		if strings.HasPrefix(v, w) {
			return true
		}
	}
	return false
}

// sql tells the grammar of an injected query: a quote or number left early and SQL behind it.
func sql(q string) bool {
	q = strings.ReplaceAll(strings.ReplaceAll(q, "/**/", " "), "+", " ")
	switch {
	case unionSelect(q), strings.Contains(q, "information_schema"), strings.Contains(q, " into outfile "), strings.Contains(q, "into dumpfile"),
		strings.Contains(q, "' or '") || strings.Contains(q, "' or 1=1") || strings.Contains(q, " or 1=1"), strings.Contains(q, "waitfor delay"),
		strings.Contains(q, "sleep(") && strings.ContainsAny(q, "'\""), strings.Contains(q, "benchmark("), strings.Contains(q, "extractvalue("), strings.Contains(q, "xp_cmdshell"):
		return true
	}
	return false
}

// unionSelect tells "union [all|distinct] select" from the words in a sentence.
func unionSelect(q string) bool {
	for {
		_, rest, ok := strings.Cut(q, "union ")
		if !ok {
			return false
		}
		q = rest
		rest = strings.TrimLeft(rest, " (")
		rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(rest, "all "), "distinct "), " (")
		if strings.HasPrefix(rest, "select ") || strings.HasPrefix(rest, "select(") {
			return true
		}
	}
}

// decode undoes percent-encoding; what is not one stays.
func decode(b []byte) string {
	if !detect.Encoded(b) {
		return string(b)
	}
	return string(detect.Unescape(make([]byte, 0, len(b)), b))
}
