package webscript

import "strings"

// variables are those of a script that hold what a request carries.
type variables map[string]bool

// maxVariables bounds how many are followed.
const maxVariables = 64

// ran are the sinks that run what they are given, without those that every database layer has a method named like.
var ran = []string{"system(", "shell_exec(", "passthru(", "popen(", "proc_open(", "pcntl_exec(", "eval(", "assert(", "create_function("}

// judge follows a line in lower case: "$c = $_POST['x'];" and, lines below, "eval($c);". Nothing else of PHP's flow is followed.
func (v variables) judge(s string) (what string, rank int) {
	if strings.IndexByte(s, '$') < 0 {
		return "", 0
	}
	for _, from := range calls(s, ran) {
		if v[variable(strings.TrimLeft(s[from:], "( \"'@"))] {
			return "it runs what a request carries", 5
		}
	}
	if name, rest, ok := strings.Cut(strings.TrimLeft(s, " \t{("), "="); ok && len(v) < maxVariables && !strings.HasPrefix(rest, "=") {
		if n := variable(name); n != "" && n == strings.TrimRight(name, " \t.") && direct(rest) {
			v[n] = true
		} else if n != "" && n == strings.TrimRight(name, " \t") && !v[n] && literal(strings.ReplaceAll(rest, ";", ")")) {
			v[n] = false // known, and nobody's but the script's own
		}
	}
	return "", 0
}

// direct tells an assignment that takes what a request carries as it comes, or decoded: a check or a cast makes it harmless.
func direct(value string) bool {
	value = strings.TrimLeft(value, " \t(@")
	for _, d := range append([]string{"trim(", "urldecode(", "rawurldecode(", "stripslashes(", "gzinflate("}, decode...) {
		value = strings.TrimLeft(strings.TrimPrefix(value, d), " \t(@")
	}
	if i := strings.Index(value, "? "); i > 0 && strings.HasPrefix(value, "isset(") {
		value = value[i+2:]
	}
	for _, in := range []string{"$_get[", "$_post[", "$_request[", "$_cookie[", "$_server['http_", "file_get_contents('php://input", `file_get_contents("php://input`} {
		if strings.HasPrefix(value, in) {
			return true
		}
	}
	return false
}

// variable reads "$name" at the beginning of s; "" where none stands there, or one that holds a request itself.
func variable(s string) string {
	if !strings.HasPrefix(s, "$") {
		return ""
	}
	n := 1
	for n < len(s) && (s[n] == '_' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n == 1 || strings.HasPrefix(s, "$_") {
		return ""
	}
	return s[:n]
}
