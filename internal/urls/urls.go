// Package urls finds the hosts of addresses in text that is not known to be a URL as a whole: commands, scripts, log lines. It checks no syntax.
package urls

import "strings"

// EveryHost tells whether a text holds an address, and is holds of the host of each. scheme is what stands before a host ("://"), end the bytes of which
// one ends it.
func EveryHost(text, scheme, end string, is func(host string) bool) bool {
	for n := 0; ; n++ {
		_, rest, ok := strings.Cut(text, scheme)
		if !ok {
			return n > 0
		}
		host := rest
		if i := strings.IndexAny(host, end); i >= 0 {
			host = host[:i]
		}
		if !is(host) {
			return false
		}
		text = rest
	}
}
