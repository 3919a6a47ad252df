package webscript

import "strings"

const namesItself = "it calls itself by the name of a known web shell"

// names are what well-known shells call themselves, in lower case.
var names = []string{"filesman", "c99shell", "r57shell", "b374k", "wso shell", "wso_version", "indoxploit", "alfa_data", "alfashell", "p0wny@shell", "weevely", "anonymousfox", "antichat shell", "safe0ver", "simattacker", "php-backdoor", "nixshell", "devilzshell", "marijuana shell", "locus7shell", "webadmin shell", "jsp backdoor", "jspspy", "phpspy", "chinachopper"}

// named gives the shells' names that a line in lower case holds.
func named(s string) (out []string) {
	for _, n := range names {
		if strings.Contains(s, n) {
			out = append(out, n)
		}
	}
	return out
}
