package printed_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/printed"
)

func TestSession(t *testing.T) {
	artifacttest.GoldenAs(t, printed.New(), "session.txt", "/output.txt", "")
}

// What a look at a text's beginning must not take for what last, ps or history printed.
func TestSniff(t *testing.T) {
	for text, want := range map[string]bool{
		"root     pts/0        203.0.113.50     Fri Jun  2 03:11 - 03:40  (00:29)\n":                      true,
		"root@web1:~# ps -ef\nUID   PID  PPID  C STIME TTY  TIME CMD\nroot 1 0 0 May29 ? 00:00:20 init\n": true,
		"  501  ls\n  502  cd /srv\n  503  w\n":                                                           true,
		"Jun  2 03:11:00 web1 sshd[1]: Accepted password for root from 203.0.113.50 port 1 ssh2\n":        false,
		"2023-06-02 03:11:00 INFO pts/0 Fri Jun 2 started\n":                                              false,
		"# m h dom mon dow command\n*/5 * * * * /usr/local/bin/backup\nMAILTO=root\n":                     true,
		"1 2 3 4 5 six\n1 2 3 4 5 six\nseven\neight\nnine\n":                                              false,
		"Dear colleagues,\nI was there on Fri Jun  2 03:11 and saw nothing.\n":                            false,
		"1  2  3\n": false,
	} {
		if got := printed.New().Sniff([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzPrinted(f *testing.F) {
	b, err := os.ReadFile("testdata/session.txt")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, printed.New, string(b))
}
