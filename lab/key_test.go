package lab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/lab"
)

// TestKeysAreReal asks ssh-keygen what it thinks of our files.
func TestKeysAreReal(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	k := lab.NewKey([32]byte{1, 2, 3}, "somebody@somewhere")
	p := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(p, k.Private(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(keygen, "-y", "-f", p).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != k.Public() {
		t.Errorf("%v: %s, want %s", err, out, k.Public())
	}
	out, err = exec.Command(keygen, "-l", "-f", p).CombinedOutput()
	if err != nil || !strings.Contains(string(out), k.Fingerprint()) {
		t.Errorf("%v: %s, want %s", err, out, k.Fingerprint())
	}
}
