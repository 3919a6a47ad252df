package web

import (
	"bytes"
	"encoding/hex"
	"path"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// bySQL is the Mechanism of a script that an injected SQL statement let the database write.
const bySQL = "sql-injection"

// maxWritten bounds the requests that name a file for the database to write.
const maxWritten = 1000

// written is a request whose SQL names a file for the database to write: "id=1 INTO OUTFILE '/var/www/x.php'".
type written struct {
	at       evidence.Time
	ip, page string
	quote    evidence.Quote
}

// writes keeps a request that names such a file. That the database wrote it, only the file or its use shows.
func (f *fold) writes(ip, page, query []byte, e *event.Event) {
	if len(query) < len("intooutfile''") {
		return
	}
	if low := bytes.ToLower(query); !bytes.Contains(low, []byte("outfile")) && !bytes.Contains(low, []byte("dumpfile")) {
		return
	}
	p := outfile(decode(query))
	if p == "" || len(f.written) >= maxWritten {
		return
	}
	if f.written[p] == nil {
		f.written[p] = &written{at: e.At, ip: string(ip), page: string(page), quote: e.Quote()}
	}
}

// outfile gives the absolute path that "INTO OUTFILE '...'" or "INTO DUMPFILE 0x..." names, "" if there is none.
func outfile(q string) string {
	q = strings.ReplaceAll(strings.ReplaceAll(q, "/**/", " "), "+", " ")
	low := asciiLower(q)
	for _, word := range []string{"outfile", "dumpfile"} {
		i := strings.Index(low, word)
		if i < 0 || !strings.HasSuffix(strings.TrimRight(low[:i], " \t\n"), "into") {
			continue
		}
		rest := strings.TrimLeft(q[i+len(word):], " \t\n(")
		if p := literalPath(rest); path.IsAbs(p) {
			return path.Clean(p)
		}
	}
	return ""
}

// literalPath reads a text of SQL: in quotes, or in hexadecimal.
func literalPath(s string) string {
	switch {
	case len(s) > 1 && (s[0] == '\'' || s[0] == '"'):
		if end := strings.IndexByte(s[1:], s[0]); end > 0 {
			return s[1 : 1+end]
		}
	case strings.HasPrefix(s, "0x"):
		n := 2
		for n < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
			n++
		}
		if b, err := hex.DecodeString(s[2:n]); err == nil {
			return string(b)
		}
	}
	return ""
}

// asciiLower is in lower case, byte for byte: places in it are places in the text.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// writtenBefore gives the request that made the database write a file: one that names its path, before its birth where that is known.
func (f *fold) writtenBefore(p string, born evidence.Time) *written {
	w := f.written[p]
	if w == nil || born.Known() && w.at.Known() && born.Before(w.at.Add(-2e9)) {
		return nil
	}
	return w
}

// writtenAt gives the request that named the file that now answers below an address's path, of files that are not here.
func (f *fold) writtenAt(url string, first evidence.Time) (found *written) {
	for p, w := range f.written {
		if strings.HasSuffix(p, url) && path.Dir(p) != "/" && !first.Before(w.at.Add(-2e9)) && (found == nil || w.at.Before(found.at)) {
			found = w
		}
	}
	return found
}

// of fills in that a script was written so.
func (w *written) of(r *detect.Finding) string {
	r.What, r.Detection, r.Mechanism, r.First, r.Source = detect.WebUpload, "D23", bySQL, w.at, w.ip
	r.For = append([]evidence.Quote{w.quote}, r.For...)
	return "a request of " + w.ip + " to " + w.page + " told the database to write it (SQL injection)"
}
