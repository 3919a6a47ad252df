package mysql

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
	wInto
	wOutfile
	wDumpfile
	wInfile
	wLocal
	wLoadFile
	wSoname
	wExec // a function of lib_mysqludf_sys and its like
	wSet
	wCreate
	wInsert // and REPLACE, UPDATE
	wAlter
	wGrant
	wDrop
	wUser
	wAll // of rights, and those that are as good as all
	wDatabase
	wTable
	wMySQL
	wSystemTable
	wSetting
	wOther // what a statement begins with that none of these is
)

// maxWord is the length of the longest keyword.
const maxWord = 24

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
	case "into":
		return wInto
	case "outfile":
		return wOutfile
	case "dumpfile":
		return wDumpfile
	case "infile":
		return wInfile
	case "local":
		return wLocal
	case "load_file":
		return wLoadFile
	case "soname":
		return wSoname
	case "sys_exec", "sys_eval", "sys_bineval", "do_system", "cmdshell":
		return wExec
	case "set":
		return wSet
	case "create":
		return wCreate
	case "insert", "replace", "update":
		return wInsert
	case "alter":
		return wAlter
	case "grant":
		return wGrant
	case "drop":
		return wDrop
	case "user":
		return wUser
	case "all", "super", "file", "system_user":
		return wAll
	case "database", "schema":
		return wDatabase
	case "table":
		return wTable
	case "mysql":
		return wMySQL
	case "func", "plugin", "global_priv":
		return wSystemTable
	case "general_log", "general_log_file", "slow_query_log", "slow_query_log_file", "secure_file_priv", "plugin_dir", "log_output", "local_infile", "sql_log_bin", "sql_log_off":
		return wSetting
	}
	return noWord
}

// inspect reads a statement and tells whether it reaches beyond its tables. open is the quote of the literal that the end of
// the statement left open.
func inspect(stmt []byte) (f finding, open byte) {
	l := lexer{b: stmt}
	first, last, before := noWord, noWord, noWord
	named := false // whether the name of what is created or filled has been seen
	for t, k := l.next(); k != tokenEnd; t, k = l.next() {
		w := noWord
		if k == tokenWord {
			w = keyword(t)
		}
		switch {
		case last == wInto && (w == wOutfile || w == wDumpfile), last == wLoadFile && k == tokenPunct, last == wExec && k == tokenPunct && t[0] == '(',
			last != wLocal && w == wInfile, w == wSoname, first == wCreate && last == wCreate && w == wUser, first == wAlter && last == wAlter && w == wUser, first == wGrant && w == wAll,
			first == wDrop && last == wDrop && w == wDatabase, first == wInsert && before == wMySQL && (w == wSystemTable || w == wUser):
			f.telling = true
		case first == wSet && w == wSetting:
			f.telling, f.setting = true, t
		case f.setting != nil && f.value == nil && k != tokenPunct:
			f.value = t
		case f.path == nil && k == tokenString && (before == wOutfile || last == wOutfile || last == wDumpfile || last == wInfile || last == wSoname || before == wLoadFile):
			f.path = t
		case f.path == nil && k == tokenWord && before == wLoadFile:
			f.path = hexText(t)
		case !named && k == tokenWord && w == noWord && (last == wTable || last == wInto || last == wDatabase) && (first == wCreate || first == wInsert):
			named = true
			f.telling = f.telling || demands(t)
		}
		if first == noWord {
			if first = w; w == noWord {
				first = wOther
			}
		}
		before, last = last, w
	}
	if first == wInsert && !f.telling {
		f.telling = extorts(stmt)
	}
	return f, l.open
}

// demands tells the names that extortioners give to what they leave: README_TO_RECOVER_DATA, PLEASE_READ_ME_XMG, WARNING.
func demands(name []byte) bool {
	if string(name) == "WARNING" || string(name) == "README" {
		return true
	}
	return hasFold(name, "recover_") || hasFold(name, "_recover") || hasFold(name, "please_read") || hasFold(name, "ransom") || hasFold(name, "read_me")
}

// extorts tells a note that asks for money for the data.
func extorts(t []byte) bool {
	return (hasFold(t, "bitcoin") || hasFold(t, " btc") || hasFold(t, ".onion")) && (hasFold(t, "your data") || hasFold(t, "backed up") || hasFold(t, "your db"))
}

// hasFold tells whether t holds s, which is in lower case, in either case of letters.
func hasFold(t []byte, s string) bool {
	for i := 0; i+len(s) <= len(t); i++ {
		if t[i]|0x20 == s[0]|0x20 && bytes.EqualFold(t[i:i+len(s)], []byte(s)) {
			return true
		}
	}
	return false
}

// hexText gives the text that "0x2f6574632f706173737764" stands for, nil where it is none.
func hexText(w []byte) []byte {
	const maxPath = 4096
	if len(w) < 4 || len(w)%2 != 0 || len(w) > maxPath || w[0] != '0' || w[1]|0x20 != 'x' {
		return nil
	}
	out := make([]byte, 0, len(w)/2-1)
	for i := 2; i < len(w); i += 2 {
		a, b := nibble(w[i]), nibble(w[i+1])
		if a < 0 || b < 0 {
			return nil
		}
		out = append(out, byte(a<<4|b))
	}
	return out
}

func nibble(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
