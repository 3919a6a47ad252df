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
	if v.names(s) {
		return "it runs what a request carries", 5
	}
	if name, rest, ok := strings.Cut(strings.TrimLeft(s, " \t{("), "="); ok && len(v) < maxVariables && !strings.HasPrefix(rest, "=") {
		if n := variable(name); n != "" && n == strings.TrimRight(name, " \t.") && (direct(rest) || whole(rest) || v.passes(rest, nil)) {
			v[n] = true
		} else if n != "" && n == strings.TrimRight(name, " \t") && !v[n] && literal(strings.ReplaceAll(rest, ";", ")")) {
			v[n] = false // known, and nobody's but the script's own
		}
	}
	return "", 0
}

// names tells that a request names the function that is called, and carries what it is given: "$f = $_COOKIE['a']; $f($_COOKIE['b']);". Such code takes care to
// stand in one line.
func (v variables) names(s string) bool {
	own := variables{} // of this line
	statements := strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '{' || r == '}' })
	for _, st := range statements[:min(len(statements), maxVariables)] {
		for from := 0; ; {
			i := strings.IndexByte(st[from:], '$')
			if i < 0 {
				break
			}
			i += from
			name, args := called(st[i:])
			from = i + 1
			if (v[name] || own[name] || superglobal(name)) && (carries(args) || !method(st[:i]) && v.given(args, own)) {
				return true
			}
		}
		st = strings.TrimPrefix(strings.TrimLeft(st, " \t("), "<?php")
		if name, rest, ok := strings.Cut(strings.TrimLeft(st, " \t("), "="); ok {
			if n := variable(name); n != "" && n == strings.TrimRight(name, " \t") && (direct(rest) || whole(rest) || v.passes(rest, own)) {
				own[n] = true
			}
		}
	}
	return false
}

// called reads "$name(" or "$_post['x'](" and gives the name and what the brackets hold.
func called(s string) (name, args string) {
	n := 1
	for n < len(s) && (s[n] == '_' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9') {
		n++
	}
	name = s[:n]
	if superglobal(name) {
		_, rest, ok := strings.Cut(s[n:], "]")
		if !ok || !strings.HasPrefix(s[n:], "[") {
			return "", ""
		}
		s, n = rest, 0
	}
	if !strings.HasPrefix(s[n:], "(") {
		return "", ""
	}
	return name, s[n+1:]
}

func superglobal(name string) bool {
	return name == "$_get" || name == "$_post" || name == "$_request" || name == "$_cookie"
}

// carries tells arguments that begin with what a request carries.
func carries(args string) bool {
	args = strings.TrimLeft(args, " @(\"'")
	for _, d := range decode {
		args = strings.TrimLeft(strings.TrimPrefix(args, d), " @(")
	}
	name, _, ok := strings.Cut(args, "[")
	return ok && superglobal(name)
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
	for _, in := range []string{"$_get[", "$_post[", "$_request[", "$_cookie[", "$_server['http_", `$_server["http_`, "file_get_contents('php://input", `file_get_contents("php://input`} {
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
