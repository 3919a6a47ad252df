package postgresql

import (
	"bytes"
	"encoding/json"
	"strconv"

	"telltale/artifact/internal/said"
	"telltale/evidence"
)

// csvFields is how many fields of a record are of use, see table "csvlog" of the manual: 0 log_time, 1 user_name, 3 process_id,
// 4 connection_from, 11 error_severity, 13 message, 19 query.
const csvFields = 20

// csvLine reads csvlog. A record ends where its quotes are balanced; within them newlines stand as they are.
func (r *reader) csvLine(ref evidence.Ref, t []byte) {
	if r.active {
		r.more(ref, t)
	} else {
		r.rec = record{ref: ref, raw: append(r.rec.raw[:0], t...)}
		r.active, r.quotes = true, 0
	}
	r.quotes += bytes.Count(t, []byte(`"`))
	if len(r.rec.raw) < maxRecord && r.quotes%2 != 0 {
		return
	}
	r.active = false
	rec := &r.rec
	fields, n := csv(rec.raw)
	at, used := stamp(r.in.Clock, fields[0])
	if n < 14 || used == 0 {
		r.in.Seen.Unknown(unread)
		return
	}
	r.in.Seen.Record(at)
	rec.at, rec.user, rec.pid, rec.text, rec.statement = at, fields[1], fields[3], fields[13], fields[19]
	rec.host, rec.port = said.AddressPort(fields[4])
	if i := bytes.LastIndexByte(fields[4], ':'); rec.host != nil && rec.port == nil && i > 0 && bytes.Count(fields[4], []byte(":")) > 1 {
		rec.host, rec.port = said.Address(fields[4][:i]), fields[4][i+1:] // IPv6 without brackets
	}
	rec.severity = severity(fields[11])
	r.joined(rec)
}

// csv cuts a record into its fields.
func csv(b []byte) (f [csvFields][]byte, n int) {
	for n < csvFields {
		quoted := len(b) > 0 && b[0] == '"'
		if !quoted {
			i := bytes.IndexByte(b, ',')
			if i < 0 {
				f[n] = b
				return f, n + 1
			}
			f[n], b = b[:i], b[i+1:]
			n++
			continue
		}
		end, doubled := 1, false
		for end < len(b) && (b[end] != '"' || end+1 < len(b) && b[end+1] == '"') {
			if b[end] == '"' {
				doubled = true
				end++
			}
			end++
		}
		end = min(end, len(b))
		f[n] = b[1:end]
		if doubled {
			f[n] = bytes.ReplaceAll(f[n], []byte(`""`), []byte(`"`))
		}
		n++
		if end+1 >= len(b) || b[end+1] != ',' {
			return f, n
		}
		b = b[end+2:]
	}
	return f, n
}

// severity gives the severity's own string.
func severity(b []byte) string {
	for _, s := range severities {
		if string(b) == s {
			return s
		}
	}
	return ""
}

// jsonLine reads jsonlog: an object a line.
func (r *reader) jsonLine(ref evidence.Ref, t []byte) {
	var o struct {
		Timestamp  string `json:"timestamp"`
		User       string `json:"user"`
		PID        int64  `json:"pid"`
		RemoteHost string `json:"remote_host"`
		RemotePort int64  `json:"remote_port"`
		Severity   string `json:"error_severity"`
		Message    string `json:"message"`
		Statement  string `json:"statement"`
	}
	if err := json.Unmarshal(t, &o); err != nil {
		r.in.Seen.Unknown(unread)
		return
	}
	at, n := stamp(r.in.Clock, []byte(o.Timestamp))
	if n == 0 {
		r.in.Seen.Unknown(unread)
		return
	}
	r.in.Seen.Record(at)
	rec := record{at: at, ref: ref, raw: t, user: []byte(o.User), text: []byte(o.Message), statement: []byte(o.Statement), severity: severity([]byte(o.Severity)), host: said.Address([]byte(o.RemoteHost))}
	if o.PID > 0 {
		rec.pid = strconv.AppendInt(nil, o.PID, 10)
	}
	if o.RemotePort > 0 && rec.host != nil {
		rec.port = strconv.AppendInt(nil, o.RemotePort, 10)
	}
	r.joined(&rec)
}
