package webscript

import (
	"slices"
	"strings"
)

// parameters are those variables of a page in Java that hold what a request carries.
type parameters map[string]bool

// judge follows a line in lower case: "String c = request.getParameter("c");" and, there or below, "Runtime.getRuntime().exec(c)", whatever stands around the name in the brackets.
func (v parameters) judge(s string) (what string, rank int) {
	for rest := s; len(v) < maxVariables; {
		before, after, ok := strings.Cut(rest, "request.getparameter(")
		if !ok {
			break
		}
		if name := assigned(before); name != "" {
			v[name] = true
		}
		rest = after
	}
	for _, sink := range []string{".exec(", "processbuilder("} {
		_, args, ok := strings.Cut(s, sink)
		if !ok || sink == ".exec(" && !strings.Contains(s, "getruntime(") && !strings.Contains(s, "runtime.") {
			continue
		}
		if i := strings.IndexByte(args, ';'); i >= 0 {
			args = args[:i]
		}
		for _, w := range strings.FieldsFunc(args, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			if v[w] {
				return ofJava(args)
			}
		}
	}
	return "", 0
}

// ofJava words what a page gives to a call that runs a program, which no shell reads unless it is named: where a program stands before what a request carries, no other is run.
func ofJava(args string) (string, int) {
	args = strings.TrimLeft(args, " \t(")
	for _, start := range []string{"new string[]", "{", "arrays.aslist(", "list.of("} {
		args = strings.TrimLeft(strings.TrimPrefix(args, start), " \t")
	}
	first, rest, quoted := strings.Cut(strings.TrimPrefix(args, `"`), `"`)
	if !strings.HasPrefix(args, `"`) || !quoted {
		return runsProgram, 5
	}
	word, more, _ := strings.Cut(strings.TrimLeft(first, " "), " ")
	whole := more != "" || strings.HasSuffix(first, " ") || strings.HasPrefix(strings.TrimLeft(rest, " "), ",")
	program := word[strings.LastIndexAny(word, `/\`)+1:]
	if !whole || program == "" || slices.Contains(windowsShells, strings.TrimSuffix(program, ".exe")) || strings.HasPrefix(program, "python") || slices.Contains(runners, program) {
		return runsProgram, 5
	}
	return "it runs programs of the system", 2
}

// windowsShells are those that the runners lack.
var windowsShells = []string{"cmd", "powershell", "pwsh"}

// assigned gives the name before "=" at the end of s: "String cmd = ".
func assigned(s string) string {
	s, ok := strings.CutSuffix(strings.TrimRight(s, " \t("), "=")
	if !ok {
		return ""
	}
	s = strings.TrimRight(s, " \t")
	return s[strings.LastIndexAny(s, " \t;{(,")+1:]
}
