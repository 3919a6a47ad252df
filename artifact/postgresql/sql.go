package postgresql

import "bytes"

// finding is what a statement does beyond its tables.
type finding struct {
	telling        bool
	path           []byte // of the file that it writes, reads or loads
	setting, value []byte // of the server that it sets
}

// word is a keyword that inspect looks for.
type word uint8

const (
	noWord word = iota
	wCopy
	wFrom // and TO
	wProgram
	wCreate
	wAlter
	wGrant
	wDrop
	wDo
	wLoad
	wFunction
	wExtension // and LANGUAGE
	wUntrusted // a language or an extension that reaches the host
	wRole
	wSuper
	wServerRole // a role that may run programs or touch files
	wSystem
	wSet
	wDatabase
	wFileCall // a function that takes a path
	wLoCall   // and those that take it behind a number
	wExecute
	wTable
	wOther
)

// maxWord is the length of the longest keyword.
const maxWord = 26

// keyword tells w by its lower case.
func keyword(w []byte) word {
	if len(w) > maxWord {
		return noWord
	}
	var low [maxWord]byte
	for i, c := range w {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	switch string(low[:len(w)]) {
	case "copy":
		return wCopy
	case "from", "to":
		return wFrom
	case "program":
		return wProgram
	case "create":
		return wCreate
	case "alter":
		return wAlter
	case "grant":
		return wGrant
	case "drop":
		return wDrop
	case "do":
		return wDo
	case "load":
		return wLoad
	case "function", "procedure":
		return wFunction
	case "extension", "language":
		return wExtension
	case "c", "plperlu", "plpythonu", "plpython2u", "plpython3u", "pltclu", "plsh", "pllua", "plluau", "adminpack", "file_fdw":
		return wUntrusted
	case "role", "user":
		return wRole
	case "superuser":
		return wSuper
	case "pg_execute_server_program", "pg_write_server_files", "pg_read_server_files":
		return wServerRole
	case "system":
		return wSystem
	case "set":
		return wSet
	case "database":
		return wDatabase
	case "lo_import", "pg_read_file", "pg_read_binary_file", "pg_ls_dir", "pg_file_write", "pg_stat_file":
		return wFileCall
	case "lo_export":
		return wLoCall
	case "execute":
		return wExecute
	case "table":
		return wTable
	}
	return noWord
}

// maxDepth is how deep statements are looked for in the texts of others: DO $$ ... EXECUTE '...' ... $$.
const maxDepth = 3

// inspect reads what a client sent, one statement or several, and tells whether any reaches beyond its tables.
func inspect(sql []byte, depth int) (f finding) {
	l := lexer{b: sql}
	var s scan
	for t, k := l.next(); k != tokenEnd; t, k = l.next() {
		if k == tokenPunct && t[0] == ';' {
			s = scan{}
			continue
		}
		if s.step(t, k, &f); depth < maxDepth && (k == tokenBody || k == tokenString && s.before == wExecute) {
			if inner := inspect(t, depth+1); inner.telling && !f.telling {
				f = inner
			}
		}
	}
	return f
}

// scan is how far inspect is within a statement.
type scan struct {
	first, before, last word // the statement's first word, and the two before the token at hand
	call                word // the function whose arguments are read
	named               bool // whether the name of what is created has been seen
	setting             bool // whether ALTER SYSTEM SET was read
}

func (s *scan) step(t []byte, k token, f *finding) {
	w := noWord
	if k == tokenWord {
		w = keyword(t)
	}
	text := k == tokenString || k == tokenBody
	switch {
	case s.first == wCopy && s.last == wFrom && w == wProgram, s.first == wGrant && w == wServerRole, (s.first == wCreate || s.first == wAlter) && w == wSuper,
		s.first == wDrop && s.last == wDrop && w == wDatabase, s.first == wCreate && s.last == wExtension && w == wUntrusted:
		f.telling = true
	case s.first == wCreate && s.last == wTable && k == tokenWord && !s.named:
		s.named = true
		f.telling = f.telling || demands(t)
	case s.first == wCopy && s.last == wFrom && text, s.first == wLoad && s.last == wLoad && text:
		f.telling, f.path = true, t
	case s.first == wCreate && text && f.path == nil && bytes.IndexByte(t, '/') >= 0 && bytes.IndexByte(t, '\n') < 0 && k == tokenString:
		f.path = t // of a library, where it turns out that the language is C
	case s.first == wAlter && s.last == wSystem && w == wSet:
		f.telling, s.setting = true, true
	case s.first == wAlter && s.last == wAlter && w == wSystem:
		f.telling = true
	case s.setting && f.setting == nil && k == tokenWord:
		f.setting = t
	case s.setting && f.value == nil && k != tokenPunct && w != wFrom:
		f.value = t
	case w == wFileCall || w == wLoCall:
		s.call = w
	case s.call != noWord && k == tokenPunct && t[0] == '(':
		f.telling = true
	case s.call != noWord && text:
		f.path, s.call = t, noWord
	case s.call != noWord && k == tokenPunct && t[0] == ')':
		s.call = noWord
	}
	if s.first == noWord {
		if s.first = w; w == noWord {
			s.first = wOther
		}
	}
	s.before, s.last = s.last, w
}

// demands tells the names that extortioners give to the tables that they leave.
func demands(name []byte) bool {
	low := bytes.ToLower(name[:min(len(name), 64)])
	for _, s := range []string{"recover_", "_recover", "please_read", "ransom", "readme"} {
		if bytes.Contains(low, []byte(s)) {
			return true
		}
	}
	return false
}
