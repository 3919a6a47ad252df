package story

import "testing"

func TestEscapes(t *testing.T) {
	for command, want := range map[string]bool{
		`/usr/bin/find . -exec /bin/sh \; -quit`: true, "/usr/bin/find / -exec /bin/bash -p ;": true, "/usr/bin/vim -c :!/bin/sh": true, "/usr/bin/less !/bin/sh": true, `/usr/bin/awk BEGIN {system("/bin/sh")}`: true,
		`/usr/bin/python3 -c import os; os.system("/bin/bash")`: true, `/usr/bin/perl -e exec "/bin/sh";`: true, "/bin/tar -cf /dev/null x --checkpoint=1 --checkpoint-action=exec=/bin/sh": true,
		"/bin/bash": false, "/bin/su -": false, `/usr/bin/find . -exec sh -c mv {} x \;`: false, "/usr/bin/find . -name bash": false, "/usr/bin/vim /etc/hosts": false, "/usr/bin/vim /bin/sh": false, "/usr/bin/python3 setup.py": false,
		`/usr/bin/find . -name *.sh -exec bash {} \;`: false, "/bin/tar czf x.tgz /etc": false, "": false, "/usr/bin/awk {print $1} x": false,
	} {
		if got := escapes(command); got != want {
			t.Errorf("%q: %v", command, got)
		}
	}
}
