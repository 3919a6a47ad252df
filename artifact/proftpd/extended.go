package proftpd

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// Extended gives the artefact of the ExtendedLog, which tells each command of a client, also of one that never
// logged in: SITE CPTO by such a client is the mark of CVE-2015-3306.
func Extended() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "proftpd-extended", Doc: "commands of ftp clients, from ProFTPD's ExtendedLog", Spec: "ProFTPD 1.3 modules/mod_log.c: ExtendedLog with the default LogFormat \"%h %l %u %t \\\"%r\\\" %s %b\"",
		// Beside it stand the server's own words, which syslogfile reads, its transfers, and the logs of its modules.
		Files: []string{"/var/log/proftpd/*", "/var/log/proftpd*.log", "!/var/log/proftpd{,/proftpd}.log", "!/var/log/proftpd/{xferlog,xferreport,controls.log,ban.log,tls.log,sftp.log,sql.log,quota.log}"}, Log: true, Sniff: sniffExtended, Parse: parseExtended,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.DirectoryMade, event.ProgramSaid},
	}
}

// command is one line: who asked for what, and the reply's code.
type command struct {
	host, user, verb, arg, code, size []byte
}

// verbs are what tells an ExtendedLog from the access log of a web server, which has the same shape.
var verbs = []string{"USER ", "PASS ", "STOR ", "APPE ", "RETR ", "DELE ", "MKD ", "XMKD ", "RMD ", "SITE ", "RNFR ", "RNTO ", "QUIT", "LIST", "NLST", "CWD ", "PASV", "EPSV", "TYPE ", "SYST", "FEAT", "PWD", "MLSD", "PORT ", "MDTM ", "SIZE ", "AUTH ", "OPTS ", "HELP ", "NOOP", "ABOR"}

func sniffExtended(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var c command
	_, ok := c.read(line)
	return ok && said.BeginsAny(append(append([]byte{}, c.verb...), ' '), verbs)
}

// read takes a line apart: host ident user [time] "request" code size.
func (c *command) read(t []byte) (stamp []byte, ok bool) {
	*c = command{}
	host, rest := said.FirstWord(t)
	_, rest = said.FirstWord(rest)
	user, rest, ok1 := said.Cut(rest, " [")
	stamp, rest, ok2 := said.Cut(rest, "] \"")
	request, tail, ok3 := said.CutLast(rest, "\" ")
	if !ok1 || !ok2 || !ok3 {
		return nil, false
	}
	c.host, c.user = host, user
	c.verb, c.arg = said.FirstWord(request)
	if bytes.EqualFold(c.verb, []byte("SITE")) {
		verb, arg := said.FirstWord(c.arg)
		c.verb, c.arg = request[:len(c.verb)+1+len(verb)], arg
	}
	c.code, tail = said.FirstWord(tail)
	c.size = said.Number(tail)
	return stamp, len(said.Number(c.code)) == 3 || string(c.code) == "-" // a command that was never answered
}

var extendedUnread, nobody = []byte("proftpd command"), [][]byte{[]byte("-"), []byte("UNKNOWN"), []byte("nobody"), nil}

func parseExtended(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var c command
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			stamp, ok := c.read(t)
			at, n := logclock.CLF(stamp)
			if !ok || n == 0 {
				in.Seen.Unknown(extendedUnread)
				continue
			}
			in.Seen.Record(at)
			if !c.event(&e) {
				continue
			}
			e.At, e.Ref, e.Raw = at, ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// backDoor is what the ProFTPD 1.3.3c that was tampered with gives a shell to.
var backDoor = []byte("ACIDBITCHEZ")

// event tells what a command did; it gives false for those that tell nothing.
func (c *command) event(e *event.Event) bool {
	done := c.code[0] == '2'
	kind := event.Unknown
	switch string(bytes.ToUpper(c.verb)) {
	case "PASS":
		kind = event.AuthFailed
		if done {
			kind = event.AuthAccepted
		}
	case "STOR", "APPE", "STOU", "SITE CPTO":
		kind = event.FileUploaded
	case "RETR":
		kind = event.FileDownloaded
	case "DELE", "SITE RMDIR":
		kind = event.FileRemoved
	case "MKD", "XMKD", "SITE MKDIR":
		kind = event.DirectoryMade
	case "SITE EXEC", "SITE CPFR":
		kind = event.ProgramSaid
	case "HELP":
		if len(c.arg) == 0 || !bytes.EqualFold(c.arg, backDoor) {
			return false
		}
		kind = event.ProgramSaid
	}
	if kind == event.Unknown || kind != event.AuthFailed && kind != event.ProgramSaid && !done {
		return false
	}
	e.Reset(kind)
	e.Add(event.ServiceName, service)
	if string(c.user) != "-" { // nobody has logged in
		e.Add(event.UserName, c.user)
	}
	if ip := said.Address(c.host); ip != nil {
		e.Add(event.SourceIP, ip)
	} else {
		e.Add(event.SourceHost, c.host)
	}
	switch kind {
	case event.AuthAccepted, event.AuthFailed:
		e.Add(event.AuthMethod, password)
	case event.ProgramSaid:
		e.Add(event.Message, append(append([]byte(nil), c.verb...), append([]byte{' '}, c.arg...)...))
	default:
		e.Add(event.FilePath, c.arg)
		e.Add(event.FileSize, c.size)
		if bytes.EqualFold(c.verb, []byte("SITE CPTO")) {
			e.Add(event.AuthMethod, c.method())
		}
	}
	return true
}

// method says by what right a copy was made: "none" is a client that never logged in.
func (c *command) method() []byte {
	for _, n := range nobody {
		if bytes.Equal(c.user, n) {
			return []byte("none")
		}
	}
	return []byte("SITE CPTO")
}
