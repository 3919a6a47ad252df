// Package throughput makes large logs, the same ones from the same seed, and measures beside one another how fast programs read
// them: telltale from the file to the verdict, and tools that count lines or hits, which is what reading a log costs at all.
package throughput

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Kind is a kind of log.
type Kind struct {
	Name string
	Path string // where such a log lies
	Doc  string
	stay int // lines of an address, on average; thirty take turns
	line func(r *rand.Rand, at time.Time, ip string, w io.Writer)
}

// Kinds gives the kinds of logs.
func Kinds() []Kind {
	return []Kind{
		{"auth", "var/log/auth.log", "sshd being guessed at, with people and cron between", 20, auth},
		{"auth-spread", "var/log/auth.log", "the worst case: each try comes from another of 40,000 addresses", 1, auth},
		{"access", "var/log/apache2/access.log", "a web server's requests in the combined format", 20, access},
		{"mail", "var/log/mail.log", "postfix receiving and delivering", 20, mail},
	}
}

// Write writes a log of at least size bytes, and gives how many it wrote.
func (k Kind) Write(w io.Writer, size int64) (int64, error) {
	counted := &counter{w: w}
	b := bufio.NewWriterSize(counted, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	var active [30]string
	for i := range active {
		active[i] = address(r)
	}
	for counted.n+int64(b.Buffered()) < size {
		at = at.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
		i := r.IntN(len(active))
		k.line(r, at, active[i], b)
		if r.IntN(k.stay) == 0 {
			active[i] = address(r)
		}
		if counted.err != nil {
			return counted.n, counted.err
		}
	}
	err := b.Flush()
	return counted.n, err
}

// counter counts what was written; a full disk ends the writing.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

func address(r *rand.Rand) string {
	n := r.IntN(40_000)
	return fmt.Sprintf("%d.%d.%d.%d", 11+n%180, n/180%256, n%251, 1+n%253)
}

var guessedNames = []string{"root", "admin", "test", "oracle", "postgres", "ubuntu", "user", "guest"}

func auth(r *rand.Rand, at time.Time, ip string, w io.Writer) {
	s, u, pid, port := at.Format("Jan _2 15:04:05"), guessedNames[r.IntN(len(guessedNames))], 1000+r.IntN(50000), 1024+r.IntN(60000)
	switch r.IntN(400) {
	case 0:
		fmt.Fprintf(w, "%s web1 sshd[%d]: Accepted publickey for amy from 192.0.2.9 port %d ssh2: ED25519 SHA256:0f9PMVoUeIQxoB7fWQvQyX5bZ3n7bVvUbl8xBpEnKdk\n", s, pid, port)
		fmt.Fprintf(w, "%s web1 sshd[%d]: pam_unix(sshd:session): session opened for user amy(uid=1000) by (uid=0)\n", s, pid)
		fmt.Fprintf(w, "%s web1 sudo:      amy : TTY=pts/0 ; PWD=/home/amy ; USER=root ; COMMAND=/usr/bin/apt update\n", s)
		fmt.Fprintf(w, "%s web1 sshd[%d]: pam_unix(sshd:session): session closed for user amy\n", s, pid)
		return
	case 1:
		fmt.Fprintf(w, "%s web1 CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)\n", s, pid)
		fmt.Fprintf(w, "%s web1 CRON[%d]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)\n", s, pid+1)
		fmt.Fprintf(w, "%s web1 CRON[%d]: pam_unix(cron:session): session closed for user root\n", s, pid)
		return
	}
	fmt.Fprintf(w, "%s web1 sshd[%d]: Invalid user %s from %s port %d\n", s, pid, u, ip, port)
	fmt.Fprintf(w, "%s web1 sshd[%d]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s \n", s, pid, ip)
	fmt.Fprintf(w, "%s web1 sshd[%d]: Failed password for invalid user %s from %s port %d ssh2\n", s, pid, u, ip, port)
	fmt.Fprintf(w, "%s web1 sshd[%d]: Connection closed by invalid user %s %s port %d [preauth]\n", s, pid, u, ip, port)
}

func mail(r *rand.Rand, at time.Time, ip string, w io.Writer) {
	s, id, n := at.Format("Jan _2 15:04:05"), fmt.Sprintf("%010X", r.Int64N(1<<40)), r.IntN(3000)
	fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: connect from host%d.example.net[%s]\n", s, 1000+n, n, ip)
	fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: %s: client=host%d.example.net[%s]\n", s, 1000+n, id, n, ip)
	fmt.Fprintf(w, "%s mx1 postfix/cleanup[%d]: %s: message-id=<%d.%s@example.net>\n", s, 5000+n, id, n, id)
	fmt.Fprintf(w, "%s mx1 postfix/qmgr[700]: %s: from=<u%d@example.net>, size=%d, nrcpt=1 (queue active)\n", s, id, n, 1000+n)
	fmt.Fprintf(w, "%s mx1 postfix/smtp[%d]: %s: to=<v%d@example.org>, relay=mx.example.org[198.51.100.4]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4F1AB2C03D)\n", s, 6000+n, id, n)
	fmt.Fprintf(w, "%s mx1 postfix/qmgr[700]: %s: removed\n", s, id)
	fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: disconnect from host%d.example.net[%s] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5\n", s, 1000+n, n, ip)
}

func access(r *rand.Rand, at time.Time, ip string, w io.Writer) {
	paths := []string{"/", "/index.php?id=7", "/style.css", "/wp-login.php", "/images/logo.png", "/cart?item=12&qty=1", "/old/page.html"}
	fmt.Fprintf(w, "%s - - [%s] \"GET %s HTTP/1.1\" %d %d \"https://www.example.org/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\"\n",
		ip, at.Format("02/Jan/2006:15:04:05 -0700"), paths[r.IntN(len(paths))], []int{200, 200, 304, 404}[r.IntN(4)], r.IntN(50000))
}
