package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxProgram is how large the program may become, bytes: it is carried on a stick and over slow lines.
const maxProgram = 40_000_000

// TestProgram builds it for the two kinds of servers there are, looks at its size, and starts the one for arm64 where an emulator is.
func TestProgram(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "telltale")
			c := exec.Command("go", "build", "-trimpath", "-ldflags=-s", "-o", program, ".")
			c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			st, err := os.Stat(program)
			if err != nil {
				t.Fatal(err)
			}
			if t.Logf("%.1f MB", float64(st.Size())/1e6); st.Size() > maxProgram {
				t.Errorf("%d bytes, more than %d", st.Size(), maxProgram)
			}
			if arch == "arm64" {
				smoke(t, program)
			}
		})
	}
}

// smoke runs the program of another processor: an examination, and our own ps of the machine, by the emulator's system calls.
func smoke(t *testing.T, program string) {
	emulator, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip("needs qemu-aarch64-static (Debian: qemu-user-static)")
	}
	for _, words := range [][]string{{"version"}, {"live", "ps"}, {"examine", "-q", "--case", filepath.Join(t.TempDir(), "case"), "../../practice/ssh-guessed/evidence.img.zst"}} {
		out, err := exec.Command(emulator, append([]string{program}, words...)...).CombinedOutput()
		if err != nil || words[0] == "examine" && !strings.Contains(string(out), "COMPROMISED") || words[0] == "live" && !strings.Contains(string(out), "PROGRAM") {
			t.Errorf("%v: %v: %s", words, err, out)
		}
	}
}
