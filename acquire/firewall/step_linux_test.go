package firewall

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

const rules = `table inet fw {
	chain input { type filter hook input priority filter; policy drop;
		ip saddr { 203.0.113.66, 203.0.113.128/25 } tcp dport { 22, 8000-8100 } accept comment "x"
	}
}
table ip nat {
	chain pre { type nat hook prerouting priority dstnat; policy accept;
		ip saddr 203.0.113.66 tcp dport 443 redirect to :42391
	}
}
`

// Rules that were laid in a network namespace of our own are read back, with what is in the sets that stand in them.
func TestRulesOfAKernel(t *testing.T) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		t.Skip("there is no nft to lay rules with")
	}
	f, err := bounded.Thread(time.Minute, func() (*found, error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Log(err)
			return nil, nil
		}
		c := exec.Command(nft, "-f", "-")
		c.Stdin = strings.NewReader(rules)
		if out, err := c.CombinedOutput(); err != nil {
			t.Logf("%v: %s", err, out)
			return nil, nil
		}
		return look("/proc", true), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if f == nil {
		t.Skip("rules cannot be laid here")
	}
	var in, pre *state.Firewall
	for _, r := range f.rules {
		switch {
		case r.Number == 1 && r.Chain == "input":
			in = r
		case r.Number == 1 && r.Chain == "pre":
			pre = r
		}
	}
	if len(f.fails) > 0 || in == nil || pre == nil {
		t.Fatalf("%v %+v", f.fails, f.rules)
	}
	if !slices.Equal(in.From, []string{"203.0.113.66", "203.0.113.128-203.0.113.255"}) || !slices.Equal(in.DestPort, []string{"22", "8000-8100"}) || in.Policy != "drop" || in.Comment != "x" || in.Verdict != "accept" {
		t.Errorf("%+v", in)
	}
	if pre.Hook != "prerouting" || pre.Verdict != "redirect" || pre.To != ":42391" || !slices.Equal(pre.From, []string{"203.0.113.66"}) {
		t.Errorf("%+v", pre)
	}
}
