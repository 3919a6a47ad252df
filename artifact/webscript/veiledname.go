package webscript

import "strings"

// veilsName says that the name of a function that runs or decodes code is put together from a text that was made unreadable, as weevely's agents do.
const veilsName = "it hides the name of a function that runs code"

// veiledNames are functions whose names nobody honest hides so: scanners and filters name them, too, but plainly or in two parts.
var veiledNames = []string{"create_function", "base64_decode", "gzuncompress", "gzinflate", "str_rot13", "call_user_func", "shell_exec", "proc_open", "passthru", "system", "assert", "popen", "exec", "preg_replace"}

// hidesName tells a line, in lower case, with `str_replace('Ut',”,'UtcrUteaUtUtte_fuUtnUtction')`, or strrev of such a name.
func hidesName(s string) bool {
	for _, from := range calls(s, []string{"str_replace(", "str_ireplace("}) {
		what, rest, ok1 := text(s[from:])
		with, rest, ok2 := text(rest)
		in, _, ok3 := text(rest)
		if ok1 && ok2 && ok3 && what != "" && with == "" && strings.Contains(in, what) && veiledName(strings.ReplaceAll(in, what, "")) {
			return true
		}
	}
	for _, from := range calls(s, []string{"strrev("}) {
		if in, _, ok := text(s[from:]); ok && veiledName(reversed(in)) {
			return true
		}
	}
	return false
}

func veiledName(s string) bool {
	for _, n := range veiledNames {
		if s == n {
			return true
		}
	}
	return false
}

// text reads a quoted text with nothing in it that PHP reads otherwise, and the comma or bracket behind it.
func text(s string) (inner, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", false
	}
	inner, rest, ok = strings.Cut(s[1:], s[:1])
	rest = strings.TrimLeft(rest, " \t")
	if !ok || strings.ContainsAny(inner, `\$`) || rest == "" || rest[0] != ',' && rest[0] != ')' {
		return "", "", false
	}
	return inner, rest[1:], true
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
