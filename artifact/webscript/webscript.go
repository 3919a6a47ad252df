// Package webscript looks into the scripts below the web roots for what a visitor could make them do: run
// what a request carries, evaluate what is encoded, send mail. It judges code by where data flows
// in one statement, or through a variable, not by single words, for every application calls some of them.
package webscript

import (
	"bytes"
	"context"
	"iter"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "web-script", Doc: "scripts of the web site that run what a request carries", Spec: "PHP manual: Program execution functions, Superglobals",
		Files: []string{"{webroot}/**/*.{php,phtml,php3,php4,php5,php7,phar,inc,cgi,pl,py,jsp,jspx,asp,aspx,sh}", "{webroot}/**/.{htaccess,user.ini}"},
		Kinds: []event.Kind{event.File}, Parse: parse,
	}
}

// maxScan is how much of a script is looked at: shells are small, and what is larger is mostly data.
const maxScan = 1 << 20 // bytes

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		best, raw, signed := "", []byte(nil), false
		carried, said := variables{}, map[string]bool{}
		takes, shut := theft{}, closing{}
		settings := strings.HasSuffix(in.Path, "/.htaccess")
		java := parameters{}
		ref := in.Ref
		rank := 0
		total := int64(0)
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok && total < maxScan; l, ok = lr.Next() {
			if ctx.Err() != nil {
				return
			}
			total += l.Len
			if l.Num == 1 && endsAtOnce(l.Text) {
				break
			}
			s := strings.ToLower(string(l.Text[:min(len(l.Text), maxJudged)]))
			if settings {
				shut.line(s)
			}
			signed = signed || any(s, verifiers)
			what, r := judge(s, in.Path)
			if len(l.Text) <= maxJudged {
				for st := range statements(s) {
					if w, n := carried.judge(st); n > r {
						what, r = w, n
					}
				}
			}
			if strings.HasSuffix(in.Path, ".jsp") || strings.HasSuffix(in.Path, ".jspx") {
				if w, n := java.judge(s); n > r {
					what, r = w, n
				}
			}
			if what == mailsCarried && carried.ownMail(s) {
				what, r = unclear, 1
			}
			if w, n := takes.line(s, in.Path); n > r {
				what, r = w, n
			}
			if rank == 0 && r == 0 && isVeiled(s) {
				what, r = unclear, 1
			}
			if what == namesItself {
				for _, n := range named(s) {
					said[n] = true
				}
			}
			if r > rank {
				best, rank = what, r
				raw = bytes.Clone(l.Text[:min(len(l.Text), evidence.MaxQuote)])
				ref.Off, ref.Len, ref.Line = l.Off, l.Len, l.Num
			}
		}
		in.Seen.Record(evidence.Time{})
		if err := lr.Err(); err != nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
		if best == runsEncoded && signed {
			best += " and signed"
		}
		if best == "" && shut.all() {
			best = closedOff
		}
		if best == "" || best == namesItself && len(said) > 2 { // who knows them all is a scanner
			return
		}
		e := event.Event{Kind: event.File, Ref: ref, Raw: raw}
		e.AddText(event.FilePath, in.Path)
		e.AddText(event.FileType, "file")
		e.AddText(event.FileContent, best)
		yield(e, nil)
	}
}

var (
	inputs = []string{"$_get", "$_post", "$_request", "$_cookie", "$_server['http_", `$_server["http_`, "$_files", "php://input", "getallheaders", "request.getparameter", "request.form", "cgi->param", "param(", "query_string", "fieldstorage"}
	sinks  = []string{"system(", "exec(", "shell_exec(", "passthru(", "popen(", "proc_open(", "pcntl_exec(", "eval(", "assert(", "create_function(", "preg_replace(\"/.*/e", "runtime.getruntime", "`$_"}
	decode = []string{"base64_decode(", "gzinflate(", "gzuncompress(", "str_rot13(", "strrev(", "hex2bin(", "convert_uudecode("}
)

func any(s string, list []string) bool {
	for _, x := range list {
		if strings.Contains(s, x) {
			return true
		}
	}
	return false
}

// maxJudged is how many bytes of a line are judged.
const maxJudged = 64 << 10

// judge tells in words what a line of a script, in lower case, does, and how grave that is.
func judge(s string, p string) (string, int) {
	if strings.HasSuffix(p, ".htaccess") || strings.HasSuffix(p, ".user.ini") {
		if makesScripts(s, p) {
			return "it makes other files run as scripts", 3
		}
		return "", 0
	}
	if t := strings.TrimSpace(s); strings.HasPrefix(t, "//") || strings.HasPrefix(t, "*") || strings.HasPrefix(t, "#") {
		return "", 0
	}
	sink, dec := call(s), any(s, decode)
	in := any(s, inputs)
	switch {
	case len(named(s)) > 0:
		return namesItself, 5
	case in && dec && strings.Contains(s, "eval(") && runsIn(s) && decodesRequest(s):
		return runsEncoded, 5
	case in && sink && runsIn(s) && (strings.HasSuffix(p, ".jsp") || strings.HasSuffix(p, ".jspx")):
		return javaCall(s)
	case in && sink && runsIn(s), in && shellTicks(s):
		return "it runs what a request carries", 5
	case strings.Contains(s, "eval(") && packedTwice(s):
		return "it evaluates code that is packed more than once", 5
	case dec && strings.Contains(s, "eval("):
		return "it evaluates code that it decodes", 4
	case hidesName(s):
		return veilsName, 5
	case placesUpload(s):
		return "it writes files where a request tells it to", 5
	case includesData(s):
		return "it runs what is no script by its name", 4
	case in && mails(s):
		return mailsCarried, 3
	case strings.Contains(s, "move_uploaded_file") && in && strings.Contains(s, "copy(") || strings.Contains(s, "@copy($_files"):
		return "it takes files from anybody", 2
	case sink:
		return "it runs programs of the system", 2
	}
	return "", 0
}

// runsEncoded says that a script evaluates code that its visitors send encoded: a console of the owner's has no reason to.
const runsEncoded = "it runs what a request carries encoded"

// verifiers tell who sent something: what they refuse is not run. Intruders have them, too, so that they only take away what the encoding says.
var verifiers = []string{"hash_equals(", "openssl_verify(", "sodium_crypto_sign_verify_detached("}

// runsProgram says it of a page of Java, in which nobody writes such a thing by the way.
const runsProgram = "it runs what a request carries as a program"

// javaCall words a line of a page of Java that holds what a request carries and the call that runs a program.
func javaCall(s string) (string, int) {
	for _, sink := range []string{".exec(", "processbuilder("} {
		if _, args, ok := strings.Cut(s, sink); ok {
			return ofJava(args)
		}
	}
	return runsProgram, 5
}

// decodesRequest tells, within what is evaluated, a decoder that is given a visitor's words: "eval(base64_decode($_post['c']))".
func decodesRequest(s string) bool {
	_, code, ok := strings.Cut(s, "eval(")
	if !ok {
		return false
	}
	for _, d := range decode {
		_, arg, ok := strings.Cut(code, d)
		arg = strings.TrimLeft(arg, "( ")
		if ok && (strings.HasPrefix(arg, "$_post") || strings.HasPrefix(arg, "$_request") || strings.HasPrefix(arg, "$_cookie") || strings.HasPrefix(arg, "$_get") || strings.HasPrefix(arg, "$_server")) {
			return true
		}
	}
	return false
}

// mailsCarried says that a script is told by its visitors whom to write to.
const mailsCarried = "it mails what a request carries"

// mails tells a line that sends mail in a loop to whom it is told.
func mails(s string) bool {
	i := strings.Index(s, "mail(")
	return i > 0 && s[i-1] != '_' && s[i-1] != '>' && (s[i-1] < 'a' || s[i-1] > 'z') && (strings.Contains(s, "foreach") || strings.Contains(s, "while") || strings.Contains(s, "unserialize(") || strings.Contains(s, "base64_decode("))
}

// packedTwice tells that decoders stand within each other where code is evaluated: no application does so that has nothing to hide.
func packedTwice(s string) bool {
	n := 0
	for _, d := range decode {
		if strings.Contains(s, d) {
			n++
		}
	}
	return n > 1
}

// includesData tells an include of a picture, or of a path whose letters are written as numbers.
func includesData(s string) bool {
	for _, word := range []string{"include ", "include(", "include_once ", "include_once(", "require ", "require(", "require_once ", "require_once("} {
		i := strings.Index(s, word)
		if i < 0 || i > 0 && s[i-1] >= 'a' && s[i-1] <= 'z' {
			continue
		}
		what, _, _ := strings.Cut(s[i+len(word):], ";")
		for _, x := range []string{`\x2f`, `\057`, `\57`, `.ico"`, ".ico'", `.png"`, ".png'", `.jpg"`, ".jpg'", `.gif"`, ".gif'", `.jpeg"`} {
			if strings.Contains(what, x) {
				return true
			}
		}
	}
	return false
}

// call tells whether a sink is called, and not only part of a longer name ("curl_exec(", "$db->exec(") or declared.
func call(s string) bool {
	for i := range calls(s, sinks) {
		if !strings.HasSuffix(s[:i], "function ") {
			return true
		}
	}
	return false
}

// calls gives where the names of functions stand by themselves in s, and where their arguments begin.
func calls(s string, names []string) iter.Seq2[int, int] {
	return func(yield func(at, arguments int) bool) {
		for _, k := range names {
			for from := 0; ; {
				i := strings.Index(s[from:], k)
				if i < 0 {
					break
				}
				i += from
				from = i + len(k)
				if !(i > 0 && partOfName(s[i-1])) && !yield(i, from) {
					return
				}
			}
		}
	}
}

// partOfName tells what before a function's name makes it a part of another, or a method.
func partOfName(c byte) bool {
	return c == '_' || c == '>' || c == ':' || c == '$' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}
