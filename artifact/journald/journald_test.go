package journald_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/journald"
	"telltale/artifact/sshd"
)

func login(n int) []string {
	return []string{fmt.Sprintf("MESSAGE=Accepted password for alice from 203.0.113.%d port 4%03d ssh2", n%250, n), "SYSLOG_IDENTIFIER=sshd", "_PID=77", "_HOSTNAME=web1", "_UID=0", "PRIORITY=6"}
}

func read(t testing.TB, b []byte) string {
	in := artifacttest.Input(b)
	in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New()})
	return string(artifacttest.Run(t, journald.New(), in))
}

func sample(compact bool, pack string, n int) []byte {
	j := newJournal(compact, pack)
	for i := range n {
		j.entry(noon+uint64(i)*1000, append(login(i), "FILLER="+strings.Repeat("x", 200))...)
	}
	return j.done()
}

func TestForms(t *testing.T) {
	for _, compact := range []bool{false, true} {
		for _, pack := range []string{"", "zstd", "lz4", "keyed"} {
			got := read(t, sample(compact, pack, 20))
			if n := strings.Count(got, "auth-accepted "); n != 20 || strings.Contains(got, "damage") || strings.Contains(got, "journal-unlinked") {
				t.Errorf("compact %v, %q: %d of 20 logins\n%s", compact, pack, n, got)
			}
			if !strings.Contains(got, "auth-accepted 2024-01-02T03:04:05.001000Z process.pid=77 transport=journal service.name=sshd user.name=alice source.ip=203.0.113.1") {
				t.Errorf("compact %v, %q: %s", compact, pack, got)
			}
		}
	}
}

func TestDamageCostsOnlyWhatItCovers(t *testing.T) {
	whole := sample(false, "", 200)
	hurt := bytes.Clone(whole)
	clear(hurt[20_000:24_096])
	got := read(t, hurt)
	if n := strings.Count(got, "auth-accepted "); n < 180 || n >= 200 {
		t.Errorf("%d of 200 logins are left behind a page of zeros", n)
	}
	if !strings.Contains(got, "the header counts 200 entries") {
		t.Errorf("the loss is not told:\n%s", got[max(0, len(got)-600):])
	}
	if n := strings.Count(read(t, whole[:len(whole)/2]), "auth-accepted "); n < 80 {
		t.Errorf("%d logins in the first half of the file", n)
	}
	if got := read(t, []byte("LPKSHHRH")); !strings.Contains(got, "damage") {
		t.Errorf("a bare signature: %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range []bool{false, true} {
		for _, p := range []string{"", "zstd", "lz4"} {
			f.Add(sample(c, p, 3))
		}
		f.Add(made(c, func(j *journal, i int) { j.number += uint64(i % 3) }).done())
	}
	f.Fuzz(func(t *testing.T, b []byte) { read(t, b) })
}

func BenchmarkParse(b *testing.B) {
	data := sample(true, "", 20_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		in := artifacttest.Input(data)
		in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New()})
		for _, err := range journald.New().Parse(b.Context(), in) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestExported(t *testing.T) {
	entry := "__CURSOR=s=1;i=%d\n__REALTIME_TIMESTAMP=17041634450%05d\n_HOSTNAME=web1\n_UID=0\nSYSLOG_IDENTIFIER=sshd\n_PID=77\n"
	said := "Accepted password for alice from 203.0.113.9 port 4001 ssh2"
	lined := "MESSAGE\n" + string([]byte{byte(len(said)), 0, 0, 0, 0, 0, 0, 0}) + said + "\n"
	for name, b := range map[string]string{
		"text":        fmt.Sprintf(entry, 1, 1) + "MESSAGE=" + said + "\n\n" + fmt.Sprintf(entry, 2, 2) + "MESSAGE=" + said + "\n",
		"with length": fmt.Sprintf(entry, 1, 1) + lined + "\n" + fmt.Sprintf(entry, 2, 2) + lined + "\n",
		"json": `{"__CURSOR":"s","__REALTIME_TIMESTAMP":"1704163445000001","_UID":"0","SYSLOG_IDENTIFIER":"sshd","_PID":"77","MESSAGE":"` + said + `"}` + "\n" +
			`{"MESSAGE":[` + strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(said)), " ", ","), "[]") + `],"_UID":"0","SYSLOG_IDENTIFIER":"sshd","_PID":"77","__REALTIME_TIMESTAMP":"1704163445000002"}` + "\n",
	} {
		in := artifacttest.Input([]byte(b))
		in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New()})
		got := string(artifacttest.Run(t, journald.Exported(), in))
		if strings.Count(got, "auth-accepted 2024-01-02T02:44:05.00000") != 2 || strings.Contains(got, "damage") || !journald.Exported().Sniff([]byte(b)) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func FuzzExported(f *testing.F) {
	artifacttest.Fuzz(f, journald.Exported, "__CURSOR=x\n__REALTIME_TIMESTAMP=1704163445000001\nSYSLOG_IDENTIFIER=sshd\nMESSAGE\n\x01\x00\x00\x00\x00\x00\x00\x00a\n\n{\"MESSAGE\":[65],\"__REALTIME_TIMESTAMP\":\"1\"}\n")
}
