package files

import (
	"strings"

	"telltale/detect"
	"telltale/event"
)

// demands are words of which those who delete databases and ask for money make the name of the one that they leave, in capital letters.
var demands = []string{"PLEASE_READ_ME", "PLEASE@0", "README_TO_RECOVER", "READ_ME_TO_RECOVER", "READ__ME_TO_RECOVER", "RECOVER_YOUR_DATA", "README_RECOVER", "TO_RECOVER_YOUR", "HOW_TO_RESTORE_YOUR", "HOW_TO_RESTORE_DATA", "HOW_TO_RESTORE_FILES", "YOUR_DATA_IS_BACKED", "HACKED_BY", "A_READ_ME"}

// demand tells a database of MySQL whose name asks for ransom: its folder bears that name.
func (f *fold) demand(e *event.Event, p string) bool {
	rest, ok := strings.CutPrefix(p, "/var/lib/mysql/")
	if !ok {
		return false
	}
	name, _, below := strings.Cut(rest, "/")
	if !below || f.told[name] {
		return f.told[name]
	}
	for _, d := range demands {
		if !wholeWords(strings.ToUpper(name), d) {
			continue
		}
		if f.told == nil {
			f.told = map[string]bool{}
		}
		f.told[name] = true
		f.add(e, "D42", "T1486", detect.Critical, "belongs to a database whose name asks for ransom: "+name)
		return true
	}
	return false
}

// ofDatabase tells programs among a database's own data: it stores rows there, and only who orders it to writes anything else.
func (f *fold) ofDatabase(e *event.Event, p, facts, kind string, owned bool) bool {
	if owned || kind != "file" || !strings.HasPrefix(facts, "elf") || library(p, facts) {
		return false
	}
	for _, d := range []string{"/var/lib/postgresql/", "/var/lib/pgsql/", "/var/lib/mysql/", "/var/lib/redis/", "/var/lib/valkey/", "/var/lib/mongodb/", "/var/lib/mongo/", "/var/lib/couchdb/"} {
		if rest, ok := strings.CutPrefix(p, d); ok && !ownTool(rest) {
			f.add(e, "D42", "T1036", detect.High, "is a program among the data of a database")
			return true
		}
	}
	return false
}

// wholeWords tells whether d stands in a name and does not begin within a word of it: "DATA_READ_METERS" is no "A_READ_ME".
func wholeWords(name, d string) bool {
	i := strings.Index(name, d)
	if i < 0 {
		return false
	}
	end := i + len(d)
	letter := func(c byte) bool { return c >= 'A' && c <= 'Z' }
	return (i == 0 || !letter(name[i-1])) && (end == len(name) || !letter(name[end]))
}

// ownTool tells what lies where the administrators of a database, whose home the folder is, keep their tools.
func ownTool(rest string) bool {
	for _, d := range []string{"bin/", "tools/", "scripts/", ".local/bin/", "go/bin/", ".cargo/bin/", ".pyenv/"} {
		if strings.HasPrefix(rest, d) {
			return true
		}
	}
	return false
}
