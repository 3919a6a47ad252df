package webscript

import "strings"

// passes tells an assignment that takes what a variable of a request carries as it comes, or decoded: "$f = base64_decode($c['a']);" behind "$c = $_COOKIE;". own are the
// variables of the same line.
func (v variables) passes(value string, own variables) bool {
	value = unwrapped(value)
	name := variable(value)
	if name == "" || !v[name] && !own[name] {
		return false
	}
	rest := strings.TrimLeft(value[len(name):], " \t")
	return rest == "" || strings.IndexByte("[;).,", rest[0]) >= 0
}

// given tells arguments that begin with what a variable of a request carries, if need be through a function that the request names, too: "$g($c['c'])".
func (v variables) given(args string, own variables) bool {
	args = unwrapped(args)
	name := variable(args)
	if name == "" || !v[name] && !own[name] {
		return false
	}
	rest := strings.TrimLeft(args[len(name):], " \t")
	return rest != "" && strings.IndexByte("[),(", rest[0]) >= 0
}

// unwrapped takes off the decoders that stand before a value.
func unwrapped(value string) string {
	value = strings.TrimLeft(value, " \t(@\"'")
	for _, d := range append([]string{"trim(", "urldecode(", "rawurldecode(", "stripslashes("}, decode...) {
		value = strings.TrimLeft(strings.TrimPrefix(value, d), " \t(@\"'")
	}
	return value
}

// whole tells an assignment of all that a request carries: "$c = $_COOKIE;".
func whole(value string) bool {
	value = strings.Trim(value, " \t(@)\r\n;")
	return superglobal(value)
}

// method tells that what follows names a method of an object: frameworks call what a request asks for so.
func method(before string) bool {
	return strings.HasSuffix(before, "->") || strings.HasSuffix(before, "::")
}
