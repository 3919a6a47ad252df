package syslogfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/pam"
	"telltale/artifact/rsyslog"
	"telltale/artifact/sshd"
	"telltale/artifact/syslogfile"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/golden"
	"telltale/internal/limit"
)

func input(b []byte) *artifact.Input {
	in := artifacttest.Input(b)
	in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New(), pam.New(), rsyslog.New()})
	return in
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"auth", "holes", "repeated"} {
		b, err := os.ReadFile("testdata/" + name + ".log")
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, "testdata/"+name+".golden", artifacttest.Run(t, syslogfile.New(), input(b)))
	}
}

const line = "Mar  3 10:00:01 web1 sshd[100]: Failed password for root from 203.0.113.9 port 4000 ssh2\n"

func TestSniff(t *testing.T) {
	for _, tc := range []struct {
		name, head string
		want       bool
	}{
		{"syslog", line + line, true},
		{"iso", "2024-03-03T10:00:01.000001+01:00 web1 sshd[1]: x\n", true},
		{"some lines of another kind", line + "\tat java\n" + line, true},
		{"fail2ban", "2024-03-03 10:00:01,123 fail2ban.filter [812]: INFO [sshd] Found 203.0.113.9\n", false},
		{"python", "2024-03-03 10:00:01,123 INFO root: hello\n", false},
		{"dpkg", "2024-03-03 10:00:01 status installed bash:amd64 5.2\n", false},
		{"access log", "203.0.113.9 - - [03/Mar/2024:10:00:01 +0000] \"GET / HTTP/1.1\" 200 5\n", false},
		{"empty", "", false},
		{"binary", "\x7fELF\x02\x01\x01\x00\x00", false},
	} {
		if got := syslogfile.New().Sniff([]byte(tc.head)); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestYieldStopsWithTheConsumer(t *testing.T) {
	n := 0
	for range syslogfile.New().Parse(context.Background(), input([]byte(strings.Repeat(line, 50)+"\x00\n"))) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Fatalf("got %d events, want 3", n)
	}
}

func TestWhatBreaksTheReading(t *testing.T) {
	long := "Mar  3 10:00:01 web1 sshd[100]: " + strings.Repeat("x", 3*limit.LineLength) + "\n"
	for _, tc := range []struct {
		name   string
		r      io.Reader
		events int
		reason string
	}{
		{"a reader that fails", io.MultiReader(strings.NewReader(line+line), iotest.ErrReader(errors.New("bad sector"))), 2, "bad sector"},
		{"a line too long", strings.NewReader(line + long + line), 2, "longer than is kept"},
		{"no end of line", strings.NewReader(line + strings.TrimSuffix(line, "\n")), 2, ""},
	} {
		in := input([]byte(line + long + line))
		in.R = tc.r
		events, reasons := 0, ""
		for _, err := range syslogfile.New().Parse(context.Background(), in) {
			var d *evidence.Damage
			switch {
			case errors.As(err, &d):
				reasons += d.Reason
			case err == nil:
				events++
			}
		}
		if events != tc.events || !strings.Contains(reasons, tc.reason) || (tc.reason == "") != (reasons == "") {
			t.Errorf("%s: got %d events and damage %q", tc.name, events, reasons)
		}
	}
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, syslogfile.New, line, "\x00\x00"+line, "") }

// BenchmarkGuessing is what most of a hacked server's auth.log is: guesses without end.
func BenchmarkGuessing(b *testing.B) {
	var log bytes.Buffer
	for i := 0; log.Len() < 64<<20; i++ {
		pid, ip, port := 1000+i%30000, fmt.Sprintf("203.0.%d.%d", i/250%250, i%250), 30000+i%30000
		stamp := fmt.Sprintf("Mar %2d %02d:%02d:%02d web1 sshd[%d]: ", 1+i/400000%28, i/36000%24, i/600%60, i/10%60, pid)
		switch i % 5 {
		case 0:
			fmt.Fprintf(&log, "%sInvalid user admin%d from %s port %d\n", stamp, i%100, ip, port)
		case 1:
			fmt.Fprintf(&log, "%spam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s \n", stamp, ip)
		case 2:
			fmt.Fprintf(&log, "%sFailed password for invalid user admin%d from %s port %d ssh2\n", stamp, i%100, ip, port)
		case 3:
			fmt.Fprintf(&log, "%sFailed password for root from %s port %d ssh2\n", stamp, ip, port)
		case 4:
			fmt.Fprintf(&log, "%sDisconnected from authenticating user root %s port %d [preauth]\n", stamp, ip, port)
		}
	}
	a, content := syslogfile.New(), log.Bytes()
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for e, err := range a.Parse(context.Background(), input(content)) {
			if err != nil || e.Kind == event.Unknown {
				b.Fatal(err)
			}
			n++
		}
		if n == 0 {
			b.Fatal("no events")
		}
	}
}
