package knownhosts_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/knownhosts"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, knownhosts.New(), "known_hosts.txt", "/home/alice/.ssh/known_hosts", "")
	artifacttest.GoldenAs(t, knownhosts.New(), "config.txt", "/home/alice/.ssh/config", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, knownhosts.New, "db1,10.0.0.5 ssh-ed25519 AAAA\n|1|c2FsdA==|aGFzaA== ssh-rsa AAAA\n@revoked [x]:22 ssh-rsa AAAA\n", "[ ssh-rsa A\n, a b\n@x\n")
}
