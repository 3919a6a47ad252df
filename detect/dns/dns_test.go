package dns_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/dns"
)

// names is n questions, the name of each with a number in it.
func names(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "03:%02d:%02d dns-query service.name=named %s\n", i/60%60, i%60, strings.ReplaceAll(format, "N", fmt.Sprintf("%040x", uint64(i)*2654435761)))
	}
	return b.String()
}

func TestNameServer(t *testing.T) {
	const axfr = "03:00:00 dns-query service.name=named dns.question.type=AXFR dns.question.name=example.org source.ip="
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"a tunnel", names(400, "source.ip=192.0.2.20 dns.question.type=TXT dns.question.name=N.t.example.net"), detect.Medium, 1},
		{"labels that end in a hyphen", names(400, "source.ip=192.168.2.20 dns.question.type=A dns.question.name=3x6-.N-.abc-.x.xlsx.example.net"), detect.High, 1},
		{"the same, asked by a stranger", names(400, "source.ip=203.0.113.6 dns.question.type=A dns.question.name=3x6-.N-.abc-.x.xlsx.example.net"), detect.Low, 1},
		{"a block list", names(400, "source.ip=192.0.2.20 dns.question.type=TXT dns.question.name=N.hbl.dq.spamhaus.net"), detect.Info, 0},
		{"one long name, again and again", strings.Repeat("03:00:00 dns-query service.name=named source.ip=192.0.2.20 dns.question.type=TXT dns.question.name=0123456789012345678901234567890123456789abcdef.x.example.net\n", 400), detect.Info, 0},
		{"the tree of addresses", names(400, "source.ip=192.0.2.20 dns.question.type=PTR dns.question.name=N.8.b.d.0.1.0.0.2.ip6.arpa"), detect.Info, 0},
		{"a few long names", names(50, "source.ip=192.0.2.20 dns.question.type=TXT dns.question.name=N.t.example.net"), detect.Info, 0},
		{"a pool, by this host", "03:00:00 dns-query service.name=named source.ip=127.0.0.1 dns.question.type=A dns.question.name=xmr-eu1.nanopool.org", detect.Medium, 1},
		{"a pool, by somebody's browser", "03:00:00 dns-query service.name=named source.ip=192.168.2.20 dns.question.type=A dns.question.name=www.NanoPool.org", detect.Low, 1},
		{"a pool's name, by a stranger", "03:00:00 dns-query service.name=named source.ip=203.0.113.6 dns.question.type=A dns.question.name=nanopool.org auth.reason=denied", detect.Info, 0},
		{"another name", "03:00:00 dns-query service.name=named source.ip=127.0.0.1 dns.question.type=A dns.question.name=notnanopool.org", detect.Info, 0},
		{"a stranger copies a zone", axfr + "203.0.113.6", detect.Low, 1},
		{"a stranger is refused", axfr + "203.0.113.6 auth.reason=denied", detect.Low, 1},
		{"a stranger is refused, then not", axfr + "203.0.113.6 auth.reason=denied\n" + axfr + "203.0.113.6", detect.Medium, 2},
		{"a server of the own network copies", axfr + "10.0.0.2", detect.Info, 0},
		{"a flood in somebody's name", strings.Repeat("03:00:00 dns-query service.name=named source.ip=203.0.113.6 dns.question.type=ANY dns.question.name=example.org\n", 150), detect.Medium, 1},
		{"a flood, refused", strings.Repeat("03:00:00 dns-query service.name=named source.ip=203.0.113.6 dns.question.type=ANY dns.question.name=example.org auth.reason=denied\n", 150), detect.Low, 1},
		{"an old mail server asks for everything", names(100, "source.ip=203.0.113.6 dns.question.type=ANY dns.question.name=example.org"), detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, dns.New(), detecttest.Scene(), tc.events)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%d: %+v", len(got), got)
			}
		})
	}
}

func TestASecondaryServerComesAgain(t *testing.T) {
	f := dns.New().New(detecttest.Scene())
	for i := range 5 {
		for _, e := range detecttest.Events(t, "03:00:00 dns-query dns.question.type=AXFR dns.question.name=example.org source.ip=203.0.113.6") {
			e.At.Sec += int64(i) * 24 * 3600
			f.Observe(&e)
		}
	}
	for r := range f.Findings(t.Context()) {
		t.Errorf("%+v", r)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	f := dns.New().New(detecttest.Scene())
	e := detecttest.Events(t, "03:00:00 dns-query source.ip=192.0.2.20 dns.question.type=A dns.question.name=www.a-long-name-of-a-host.example.org")[0]
	if n := testing.AllocsPerRun(100, func() { f.Observe(&e) }); n > 0 {
		t.Errorf("%v allocations for each question", n)
	}
}
