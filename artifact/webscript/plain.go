package webscript

import "strings"

// unclear says that a script holds code whose doing its text does not show. It is told of very many scripts, and speaks against none; a script without it
// does nothing but what can be read.
const unclear = "what it does cannot be read off it"

// veiled are words by which PHP runs, writes, sends or loads what its text does not show.
var veiled = []string{"eval", "assert", "create_function", "call_user_func", "array_map(", "array_filter(", "array_walk(", "usort(", "uasort(", "uksort(", "register_shutdown_function", "ob_start(", "preg_replace", "preg_replace_callback", "base64_decode", "gzinflate", "gzuncompress", "str_rot13", "strrev(", "hex2bin",
	"chr(", "pack(", "unserialize(", "extract(", "parse_str(", "move_uploaded_file", "file_put_contents", "fwrite(", "fputs(", "copy(", "rename(", "mail(", "curl_exec", "fsockopen", "stream_socket", "$globals", "goto ", `\x`, "new reflection", "system", "exec", "passthru", "popen", "proc_open", "dl(", "`",
	"include $", "include($", "include_once $", "include_once($", "require $", "require($", "require_once $", "require_once($", "${", "php://input", "namespace phar", "zip://", "phar://", "data:"}

// isVeiled tells whether a line, in lower case, holds such a word, or calls a function whose name a variable holds.
func isVeiled(s string) bool {
	if any(s, veiled) || len(s) > 2000 {
		return true
	}
	for i := strings.IndexByte(s, '$'); i >= 0 && i < len(s); {
		n := i + 1
		for n < len(s) && partOfName(s[n]) && s[n] != '$' && s[n] != '>' && s[n] != ':' {
			n++
		}
		if n < len(s) && n > i+1 && (s[n] == '(' || s[n] == '[' && strings.Contains(s[n:], "](") || s[n] == '{') {
			return true
		}
		next := strings.IndexByte(s[n:], '$')
		if next < 0 {
			break
		}
		i = n + next
	}
	return false
}

// literal tells that the argument that begins s is a text and nothing else, so that no request can change it: `"git pull 2>&1")`.
func literal(s string) bool {
	s = strings.TrimLeft(s, " ")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return false
	}
	end := strings.IndexByte(s[1:], s[0])
	if end < 0 || s[0] == '"' && strings.IndexByte(s[1:1+end], '$') >= 0 {
		return false
	}
	rest := strings.TrimLeft(s[2+end:], " ")
	return rest != "" && (rest[0] == ')' || rest[0] == ',')
}

// quotedText gives what stands in the quotes that s begins with.
func quotedText(s string) string {
	s = strings.TrimLeft(s, " ")
	if s == "" {
		return ""
	}
	text, _, _ := strings.Cut(s[1:], s[:1])
	return text
}

// programs are the sinks that are given a command line.
var programs = []string{"system(", "exec(", "shell_exec(", "passthru(", "popen(", "proc_open("}

// fixed tells whether all that a line runs is written down in it.
func fixed(s string) bool {
	for _, k := range sinks {
		known := false
		for _, p := range programs {
			known = known || k == p
		}
		if known || !strings.Contains(s, k) {
			continue
		}
		for _, from := range calls(s, []string{k}) {
			if !literal(s[from:]) || strings.Contains(quotedText(s[from:]), "$") { // code that is written down may still take what a request carries
				return false
			}
		}
	}
	for _, from := range calls(s, programs) {
		if !literal(s[from:]) {
			return false
		}
	}
	return true
}

// ownMail tells whether all that a line mails goes to who is written down in the script, as of a form by which visitors write to the site's owner.
func (v variables) ownMail(s string) bool {
	for _, from := range calls(s, []string{"mail("}) {
		to := strings.TrimLeft(s[from:], " ")
		if literal(to) {
			continue
		}
		if carried, known := v[variable(to)]; carried || !known {
			return false
		}
	}
	return true
}

// placesUpload tells whether the name of what a visitor uploads is taken as the request gives it.
func placesUpload(s string) bool {
	for _, from := range calls(s, []string{"move_uploaded_file(", "copy($_files"}) {
		_, to, ok := strings.Cut(s[from:], ",")
		to = strings.TrimLeft(to, " ")
		if ok && (strings.HasPrefix(to, "$_get[") || strings.HasPrefix(to, "$_post[") || strings.HasPrefix(to, "$_request[") || strings.HasPrefix(to, "$_cookie[")) {
			return true
		}
	}
	return false
}

// endsAtOnce tells a file that PHP leaves at its first words, whatever follows: logs and settings are kept so where the web serves them.
func endsAtOnce(first []byte) bool {
	s := strings.ToLower(string(first[:min(len(first), 200)]))
	s = strings.TrimPrefix(s, "#")
	rest, ok := strings.CutPrefix(s, "<?php ")
	if !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " ")
	for _, word := range []string{"exit", "die"} {
		if after, ok := strings.CutPrefix(rest, word); ok {
			after = strings.TrimLeft(after, " ")
			return strings.HasPrefix(after, ";") || strings.HasPrefix(after, "()") || strings.HasPrefix(after, "(") && literal(after[1:])
		}
	}
	return false
}

// scriptEndings are those that servers are commonly told to run.
var scriptEndings = []string{"php", "phtml", "phps", "phar", "inc", "html", "htm", "shtml", "module", "tpl", "ctp", "cgi", "pl", "xml", "rss"}

// makesScripts tells a line of a server's settings, in lower case, by which something runs that is no script by its name: each hosting panel writes which PHP runs
// scripts, and firewalls for web applications load themselves before each.
func makesScripts(s, p string) bool {
	w := strings.Fields(s)
	if len(w) == 0 || strings.HasPrefix(w[0], "#") || strings.HasPrefix(w[0], ";") {
		return false
	}
	for _, setting := range []string{"auto_prepend_file", "auto_append_file"} {
		if _, to, ok := strings.Cut(s, setting); ok {
			to = strings.Trim(to, " \t=\"'")
			base := to[strings.LastIndexByte(to, '/')+1:]
			return to != "" && to != "none" && (!strings.HasSuffix(base, ".php") || strings.HasPrefix(base, ".") || strings.Contains(to, "/.") || strings.HasPrefix(to, "/tmp/") || strings.HasPrefix(to, "/var/tmp/") || strings.HasPrefix(to, "/dev/") || strings.Contains(to, "://"))
		}
	}
	switch {
	case !strings.Contains(s, "php"):
		return false
	case w[0] == "sethandler":
		return forData(p)
	case w[0] != "addhandler" && w[0] != "addtype" || len(w) < 3:
		return false
	}
	for _, ending := range w[2:] {
		ending = strings.TrimLeft(ending, ".")
		known := strings.HasPrefix(ending, "php") || strings.HasPrefix(ending, "#")
		for _, x := range scriptEndings {
			known = known || ending == x
		}
		if !known {
			return true
		}
	}
	return false
}

// forData tells a file that lies in a folder for what visitors or applications put there.
func forData(p string) bool {
	return any(strings.ToLower(p), []string{"/upload", "/image", "/img/", "/media/", "/cache/", "/tmp/", "/temp/", "/files/", "/data/", "/avatars/", "/attachments/"})
}
