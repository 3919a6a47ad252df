package modsecurity_test

import (
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/modsecurity"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, modsecurity.New(), "audit.txt", "/var/log/apache2/modsec_audit.log", "")
	artifacttest.GoldenAs(t, modsecurity.New(), "debian12.txt", "/var/log/apache2/modsec_audit.log", "")
}

func TestLongBody(t *testing.T) {
	text := "--c7036611-A--\n[02/Jan/2024:03:04:05 +0000] x 203.0.113.5 64995 192.0.2.1 80\n--c7036611-C--\n" + strings.Repeat("abcdefgh\n", 10000) + "--c7036611-Z--\n"
	if out := artifacttest.Run(t, modsecurity.New(), artifacttest.Input([]byte(text))); len(out) > 8<<10 || !strings.Contains(string(out), "program-said") {
		t.Errorf("a long body gives %d bytes", len(out))
	}
}

func TestLostEnd(t *testing.T) {
	const next = "--c7036612-A--\n[02/Jan/2024:03:04:05 +0000] x 203.0.113.6 64995 192.0.2.1 80\n--c7036612-H--\nMessage: Warning. [id \"1\"]\n--c7036612-Z--\n"
	text := "--c7036611-A--\n[02/Jan/2024:03:04:05 +0000] x 203.0.113.5 64995 192.0.2.1 80\n--c7036611-C--\n" + strings.Repeat("abcdefgh\n", 200000) + next
	if out := string(artifacttest.Run(t, modsecurity.New(), artifacttest.Input([]byte(text)))); !strings.Contains(out, "203.0.113.6") || !strings.Contains(out, "damage") {
		t.Errorf("the transaction behind one without an end is lost: %s", out)
	}
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, modsecurity.New, "--c7036611-A--\n[02/Jan/2024:03:04:05 +0000] x 203.0.113.5 64995 192.0.2.1 80\n--c7036611-C--\na=b\n--c7036611-H--\nMessage: Warning. [id \"1\"]\n--c7036611-Z--\n")
}
