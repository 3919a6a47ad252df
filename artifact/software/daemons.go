package software

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
)

// The bounds of a program.
const (
	maxProgram = 64 << 20 // bytes
	window     = 256 << 10
	overlap    = 128 // a banner is shorter
)

// banners are what daemons say of themselves in one piece, with the number in it. Others put theirs together when they run: they
// are not here, for a number that stands alone is no proof.
func banners() []banner {
	return []banner{{"openssh", "OpenSSH_"}, {"vsftpd", "vsftpd: version "}, {"vsftpd", "(vsFTPd "}, {"proftpd", "ProFTPD "}, {"nginx", "nginx/"}, {"apache", "Apache/"}, {"lighttpd", "lighttpd/"}, {"php", "X-Powered-By: PHP/"}, {"dropbear", "SSH-2.0-dropbear_"}}
}

type banner struct{ name, words string }

// daemons gives the artefact of programs that were built by hand.
func daemons() *artifact.Artifact {
	names := "{sshd,vsftpd,proftpd,nginx,httpd,apache2,lighttpd,php,php-cgi,php-fpm,dropbear}"
	return &artifact.Artifact{Name: "built-daemons", Doc: "daemons that were built by hand, and their versions", Spec: "OpenSSH version.h, vsftpd vsftpver.h, nginx src/core/nginx.h, httpd include/ap_release.h, PHP main/SAPI.h", Kinds: []event.Kind{event.SoftwareSeen}, Parse: program,
		Files: []string{"/usr/local/{bin,sbin,libexec}/" + names, "/usr/local/*/{bin,sbin}/" + names, "/opt/*/{bin,sbin}/" + names, "/opt/*/*/{bin,sbin}/" + names}}
}

// program looks for banners. A program that has two different ones of a product is certain of neither.
func program(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		best, unsure := map[string]found{}, map[string]bool{}
		buf := make([]byte, window)
		kept, at := 0, 0 // bytes of the window before, and where the buffer begins
		for ctx.Err() == nil && at < maxProgram {
			n, err := io.ReadFull(in.R, buf[kept:])
			end := err != nil
			if end && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
				return
			}
			b := buf[:kept+n]
			if at == 0 && !bytes.HasPrefix(b, []byte("\x7fELF")) {
				return
			}
			look(b, at, end, best, unsure)
			if end {
				break
			}
			kept = copy(buf, b[len(b)-overlap:])
			at += len(b) - overlap
		}
		for _, x := range banners() {
			f, ok := best[x.name]
			delete(best, x.name)
			if ok && !unsure[x.name] && !yield(seen(in, Binary, f, []byte(x.words+f.version)), nil) {
				return
			}
		}
	}
}

// look takes the banners of a window. What ends with it is seen whole in the next one.
func look(b []byte, at int, last bool, best map[string]found, unsure map[string]bool) {
	for _, x := range banners() {
		for from := 0; ; {
			i := bytes.Index(b[from:], []byte(x.words))
			if i < 0 {
				break
			}
			i += from
			from = i + len(x.words)
			n := from
			for n < len(b) && n-from <= maxVersion && (b[n] == '.' || b[n]|0x20 >= 'a' && b[n]|0x20 <= 'z' || b[n] >= '0' && b[n] <= '9') {
				n++
			}
			v := string(b[from:n])
			if n == len(b) && !last || !sound(v) || !bounded(b, i, n) {
				continue
			}
			old, ok := best[x.name]
			switch {
			case !ok, len(v) > len(old.version) && v[:len(old.version)] == old.version: // OpenSSH has its number with and without "p1"
				best[x.name] = found{name: x.name, version: v, off: at + i, n: n - i}
			case len(v) > len(old.version) || old.version[:len(v)] != v:
				unsure[x.name] = true
			}
		}
	}
}

// bounded tells whether the words stand for themselves: a list of others' versions, as sshd has of those it has to be kind to, goes on behind the number.
func bounded(b []byte, from, to int) bool {
	if from > 0 && (b[from-1] == '/' || b[from-1]|0x20 >= 'a' && b[from-1]|0x20 <= 'z') {
		return false
	}
	return to >= len(b) || bytes.IndexByte([]byte("\x00 )\r\n"), b[to]) >= 0
}
