package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	artall "telltale/artifact/all"
	detall "telltale/detect/all"
	"telltale/examine"
)

// BenchmarkExamine measures from the file to the folds: frame, decoder, event, all detections. The figure to beat is
// 150 MB/s on one core; log2timeline needs hours for a gigabyte (disk.md), a crowdsec replay 10 s for 1,500 lines.
func BenchmarkExamine(b *testing.B) {
	for _, bc := range []struct {
		name, path string
		line       func(*rand.Rand, time.Time, string, *bytes.Buffer)
		stay       int // tries that an address makes, on average; thirty take turns
	}{
		{"sshd", "var/log/auth.log", guess, 20},
		{"sshd-spread", "var/log/auth.log", guess, 1}, // the worst case: each try comes from another of 40,000 addresses
		{"access", "var/log/apache2/access.log", visit, 20},
		{"mail", "var/log/mail.log", deliver, 20},
		{"sshd-gz", "var/log/auth.log.2.gz", guess, 20},
		{"access-gz", "var/log/apache2/access.log.2.gz", visit, 20},
		{"mail-gz", "var/log/mail.log.2.gz", deliver, 20},
	} {
		b.Run(bc.name, func(b *testing.B) {
			dir := b.TempDir()
			size := made(b, filepath.Join(dir, bc.path), 256<<20, bc.stay, bc.line)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := examine.Run(b.Context(), examine.Options{Evidence: []string{dir}, Spool: b.TempDir(), Artifacts: artall.Artifacts(), Detections: detall.Detections()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTools is how fast common tools look through the same logs for one word: what reading them at all costs.
func BenchmarkTools(b *testing.B) {
	for _, tc := range []struct {
		name, path string
		line       func(*rand.Rand, time.Time, string, *bytes.Buffer)
		words      []string
	}{
		{"grep", "auth.log", guess, []string{"grep", "-c", "Failed password for invalid user oracle"}},
		{"zgrep", "auth.log.gz", guess, []string{"zgrep", "-c", "Failed password for invalid user oracle"}},
		{"goaccess", "access.log", visit, []string{"goaccess", "--log-format=COMBINED", "-o", "json", "-f"}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			if _, err := exec.LookPath(tc.words[0]); err != nil {
				b.Skip(err)
			}
			p := filepath.Join(b.TempDir(), tc.path)
			b.SetBytes(made(b, p, 256<<20, 20, tc.line))
			for b.Loop() {
				if out, err := exec.Command(tc.words[0], append(tc.words[1:len(tc.words):len(tc.words)], p)...).Output(); err != nil || len(out) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}

// made writes a log of about size bytes.
func made(tb testing.TB, path string, size, stay int, line func(*rand.Rand, time.Time, string, *bytes.Buffer)) int64 {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	var active [30]string
	for i := range active {
		active[i] = address(r)
	}
	var buf bytes.Buffer
	buf.Grow(size + 1024)
	for buf.Len() < size {
		at = at.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
		i := r.IntN(len(active))
		line(r, at, active[i], &buf)
		if r.IntN(stay) == 0 {
			active[i] = address(r)
		}
	}
	size, data := buf.Len(), buf.Bytes()
	if filepath.Ext(path) == ".gz" {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := w.Write(data); err != nil {
			tb.Fatal(err)
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
		data = z.Bytes()
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		tb.Fatal(err)
	}
	return int64(size) // of the lines
}

func address(r *rand.Rand) string {
	n := r.IntN(40_000)
	return fmt.Sprintf("%d.%d.%d.%d", 11+n%180, n/180%256, n%251, 1+n%253)
}

var guessedNames = []string{"root", "admin", "test", "oracle", "postgres", "ubuntu", "user", "guest"}

func guess(r *rand.Rand, at time.Time, ip string, w *bytes.Buffer) {
	s, u, pid, port := at.Format("Jan _2 15:04:05"), guessedNames[r.IntN(len(guessedNames))], 1000+r.IntN(50000), 1024+r.IntN(60000)
	fmt.Fprintf(w, "%s web1 sshd[%d]: Invalid user %s from %s port %d\n", s, pid, u, ip, port)
	fmt.Fprintf(w, "%s web1 sshd[%d]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s \n", s, pid, ip)
	fmt.Fprintf(w, "%s web1 sshd[%d]: Failed password for invalid user %s from %s port %d ssh2\n", s, pid, u, ip, port)
	fmt.Fprintf(w, "%s web1 sshd[%d]: Connection closed by invalid user %s %s port %d [preauth]\n", s, pid, u, ip, port)
}

func deliver(r *rand.Rand, at time.Time, ip string, w *bytes.Buffer) {
	s, id, n := at.Format("Jan _2 15:04:05"), fmt.Sprintf("%010X", r.Int64N(1<<40)), r.IntN(3000)
	fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: connect from host%d.example.net[%s]\n", s, 1000+n, n, ip)
	fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: %s: client=host%d.example.net[%s]\n", s, 1000+n, id, n, ip)
	fmt.Fprintf(w, "%s mx1 postfix/cleanup[%d]: %s: message-id=<%d.%s@example.net>\n", s, 5000+n, id, n, id)
	fmt.Fprintf(w, "%s mx1 postfix/qmgr[700]: %s: from=<u%d@example.net>, size=%d, nrcpt=1 (queue active)\n", s, id, n, 1000+n)
	fmt.Fprintf(w, "%s mx1 postfix/smtp[%d]: %s: to=<v%d@example.org>, relay=mx.example.org[198.51.100.4]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4F1AB2C03D)\n", s, 6000+n, id, n)
	fmt.Fprintf(w, "%s mx1 postfix/qmgr[700]: %s: removed\n", s, id)
	fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: disconnect from host%d.example.net[%s] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5\n", s, 1000+n, n, ip)
}

func visit(r *rand.Rand, at time.Time, ip string, w *bytes.Buffer) {
	paths := []string{"/", "/index.php?id=7", "/style.css", "/wp-login.php", "/images/logo.png", "/cart?item=12&qty=1", "/old/page.html"}
	fmt.Fprintf(w, "%s - - [%s] \"GET %s HTTP/1.1\" %d %d \"https://www.example.org/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\"\n",
		ip, at.Format("02/Jan/2006:15:04:05 -0700"), paths[r.IntN(len(paths))], []int{200, 200, 304, 404}[r.IntN(4)], r.IntN(50000))
}
