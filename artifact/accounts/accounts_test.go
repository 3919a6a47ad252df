package accounts_test

import (
	"bytes"
	"os"
	"testing"

	"telltale/artifact/accounts"
	"telltale/artifact/artifacttest"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, accounts.Passwd(), "passwd.txt", "/etc/passwd", "")
	artifacttest.GoldenAs(t, accounts.Shadow(), "shadow.txt", "/etc/shadow", "")
	artifacttest.GoldenAs(t, accounts.Group(), "group.txt", "/etc/group", "")
}

func TestNoHashLeavesTheHost(t *testing.T) {
	b, err := os.ReadFile("testdata/shadow.txt")
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range accounts.Shadow().Parse(t.Context(), artifacttest.Input(b)) {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(e.Raw, []byte("$y$")) {
			t.Errorf("a password's hash is quoted: %s", e.Raw)
		}
	}
}

func FuzzPasswd(f *testing.F) { artifacttest.Fuzz(f, accounts.Passwd, "root:x:0:0::/root:/bin/sh") }

func FuzzShadow(f *testing.F) { artifacttest.Fuzz(f, accounts.Shadow, "root:$y$x:1::::::") }

func FuzzGroup(f *testing.F) { artifacttest.Fuzz(f, accounts.Group, "sudo:x:27:alice") }
