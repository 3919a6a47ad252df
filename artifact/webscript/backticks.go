package webscript

import "strings"

// shellTicks tells a line, in lower case, that gives what a request carries to a shell by PHP's backticks: "echo `$_get[c]`;", "die(`{$_post["c"]}`)". Backticks within a
// text quote names of SQL: only one that stands where a value is expected, outside of quotes, opens a command.
func shellTicks(s string) bool {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '`':
			end := strings.IndexByte(s[i+1:], '`')
			if end < 0 {
				return false
			}
			if wantsValue(s[:i]) && any(s[i+1:i+1+end], inputs) {
				return true
			}
			i += end + 1
		}
	}
	return false
}

// wantsValue tells whether a value has to follow what stands before it.
func wantsValue(before string) bool {
	before = strings.TrimRight(before, " \t@")
	if before == "" {
		return false
	}
	if strings.IndexByte("=(;{}?:", before[len(before)-1]) >= 0 {
		return true
	}
	for _, word := range []string{"echo", "print", "return", "<?=", "<?php"} {
		if strings.HasSuffix(before, word) {
			return true
		}
	}
	return false
}
