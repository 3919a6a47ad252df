package resolver_test

import (
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/resolver"
	"telltale/event"
)

// both is the two resolvers in one, for the samples that hold both.
func both() *artifact.Artifact {
	u, d := resolver.Unbound(), resolver.Dnsmasq()
	u.Programs = append(u.Programs, d.Programs...)
	decode := u.Decode
	u.Decode = func(m *artifact.Message, yield func(*event.Event)) bool {
		if string(m.Program) == "unbound" {
			return decode(m, yield)
		}
		return d.Decode(m, yield)
	}
	return u
}

func TestGolden(t *testing.T) { artifacttest.Golden(t, both()) }

func TestOwnLog(t *testing.T) {
	for _, sample := range []string{"unbound.txt", "unbound-plain.txt", "unbound-tagged.txt"} {
		artifacttest.GoldenAs(t, resolver.UnboundFile(), sample, "/var/log/unbound.log", "")
	}
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, both) }

func FuzzFile(f *testing.F) {
	artifacttest.Fuzz(f, resolver.UnboundFile, "[1704164645] unbound[123:0] info: 203.0.113.5 example.org. A IN\n")
}
