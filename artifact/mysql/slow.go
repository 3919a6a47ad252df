package mysql

import (
	"bytes"
	"strconv"
	"time"

	"telltale/artifact/internal/said"
	"telltale/evidence"
)

// slowLine reads the slow log: comments that tell of a statement, then the statement.
//
//	# Time: 2024-03-14T02:11:09.123456Z
//	# User@Host: root[root] @ web1 [203.0.113.5]  Id:     8
//	# Query_time: 11.000219  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 0
//	use shop;
//	SET timestamp=1710382258;
//	SELECT ...;
func (r *reader) slowLine(ref evidence.Ref, t []byte) {
	if t[0] != '#' {
		r.slowStatement(ref, t)
		return
	}
	who, ours := said.Rest(t, "# User@Host: ")
	clock, timed := said.Rest(t, "# Time: ")
	if !ours && !timed {
		if r.st.active && len(r.st.text) > r.st.skip { // a comment of the statement's own
			r.st.more(ref, t)
		}
		return
	}
	if !r.st.active || len(r.st.text) > r.st.skip || ours && r.st.user != nil {
		r.doubts()
		r.st.begin(r.m.At, ref, nil, 0)
	}
	if timed {
		if at, n := stamp(r.in.Clock, clock); n > 0 {
			r.m.At, r.st.at = at, at
		}
		return
	}
	r.in.Seen.Record(r.st.at)
	if user, host, ok := slowAccount(who); ok && r.doubt == 0 {
		r.st.user, r.st.host = bytes.Clone(user), bytes.Clone(host)
	}
}

// slowAccount reads "root[root] @ web1 [203.0.113.5]  Id: 8": the account, the host's name and its address, of which either may
// be missing. The name in brackets is that of the account, which the server knows.
func slowAccount(t []byte) (user, host []byte, ok bool) {
	t, _, _ = said.CutLast(t, "  Id: ")
	account, place, ok := said.CutLast(bytes.TrimRight(t, " "), "] @ ")
	if !ok {
		return nil, nil, false
	}
	user, _, _ = said.CutLast(account, "[")
	name, ip, _ := said.CutLast(bytes.TrimSuffix(place, []byte("]")), "[")
	if a := said.Address(ip); a != nil {
		return user, a, true
	}
	return user, bytes.TrimSpace(name), true
}

func (r *reader) slowStatement(ref evidence.Ref, t []byte) {
	switch {
	case !r.st.active:
		if !banner(t) {
			r.in.Seen.Unknown(unread)
		}
	case len(r.st.text) == 0: // the server's own, and not the client's
		if digits, ok := said.Rest(t, "SET timestamp="); ok {
			if sec, err := strconv.ParseInt(string(said.Number(digits)), 10, 64); err == nil && sec > 0 && sec < 1<<33 && r.doubt == 0 {
				r.st.at = evidence.Time{Sec: sec, Step: time.Second} // of the beginning, and sure of its zone
			}
			return
		}
		if bytes.HasPrefix(t, []byte("use ")) || banner(t) {
			return
		}
		user, host, at, first := r.st.user, r.st.host, r.st.at, r.st.ref
		r.st.begin(at, first, t, 0)
		r.st.user, r.st.host = user, host
		r.st.ref.Len = ref.Off + ref.Len - first.Off
	default:
		if !banner(t) {
			r.st.more(ref, t)
		}
	}
}
