package database

import (
	"slices"
	"strings"
	"time"

	"telltale/evidence"
)

// meow ends the names that one kind of stranger leaves.
const meow = "-meow"

// notes stand in the name of what holds a demand. An index' name begins with them: within it they are an owner's word for what he keeps there.
var notes = []string{"read_me", "read__me", "readme_to", "please_read", "to_recover", "recover_your", "pwned", "hacked_", "ransom", "db_has_been", "contact_me", "just_read", "how_to_restore", "warning.read", "warning.warning"}

// noteIndex tells an index, in lower case, that strangers leave in place of those that they deleted.
func noteIndex(name string) bool {
	return strings.HasSuffix(name, meow) || slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(name, n) })
}

// kept is how old the indices are that those who keep a server delete by their dates; a stranger deletes today's, too.
const kept = 48 * time.Hour

// lapsed tells an index whose name has a date that was long past when it was deleted: "logs-2023.04.01".
func lapsed(name string, at evidence.Time) bool {
	for i := 0; at.Known() && i+10 <= len(name); i++ {
		t, err := time.Parse("2006.01.02", strings.ReplaceAll(name[i:i+10], "-", "."))
		if err == nil {
			return at.Sub(evidence.At(t, time.Second)) > kept
		}
	}
	return false
}
