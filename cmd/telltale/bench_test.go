package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
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
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
	return int64(buf.Len())
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

func visit(r *rand.Rand, at time.Time, ip string, w *bytes.Buffer) {
	paths := []string{"/", "/index.php?id=7", "/style.css", "/wp-login.php", "/images/logo.png", "/cart?item=12&qty=1", "/old/page.html"}
	fmt.Fprintf(w, "%s - - [%s] \"GET %s HTTP/1.1\" %d %d \"https://www.example.org/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\"\n",
		ip, at.Format("02/Jan/2006:15:04:05 -0700"), paths[r.IntN(len(paths))], []int{200, 200, 304, 404}[r.IntN(4)], r.IntN(50000))
}
