package packets_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/packets"
)

// flow is packets of one kind: to so many machines on a port, or to so many ports.
func flow(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("DST", fmt.Sprintf("198.51.%d.%d", 100+i/250, 1+i%250), "PORT", fmt.Sprint(1000+i)).Replace(line) + "\n")
	}
	return b.String()
}

func TestSpread(t *testing.T) {
	const out = "03:00:00 firewall-packet source.ip=192.0.2.10 destination.ip=DST network.direction=outbound "
	for _, tc := range []struct {
		name, events string
		what         detect.What
		level        detect.Level
		account      string
	}{
		{"scans for ssh", flow(60, out+"destination.port=22"), detect.Scanner, detect.High, ""},
		{"the web server's account scans", flow(60, out+"destination.port=445 user.id=33"), detect.Scanner, detect.High, "www-data"},
		{"a few machines", flow(20, out+"destination.port=22"), "", 0, ""},
		{"a web crawler", flow(120, out+"destination.port=443"), "", 0, ""},
		{"the web server's account sends mail", flow(60, out+"destination.port=25 user.id=33"), detect.Scanner, detect.High, "www-data"},
		{"root's mail server sends mail", flow(60, out+"destination.port=25 user.id=0"), detect.Scanner, detect.Info, "root"},
		{"somebody sends mail", flow(60, out+"destination.port=25"), detect.Scanner, detect.Medium, ""},
		{"one machine, many times", strings.Repeat(flow(1, out+"destination.port=22"), 80), "", 0, ""},
		{"is scanned", flow(30, "03:00:00 firewall-packet source.ip=203.0.113.6 destination.ip=192.0.2.10 destination.port=PORT network.direction=inbound"), detect.PortScan, detect.Low, ""},
		{"is knocked at", flow(5, "03:00:00 firewall-packet source.ip=203.0.113.6 destination.ip=192.0.2.10 destination.port=PORT network.direction=inbound"), "", 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, packets.New(), detecttest.Scene(), tc.events)
			if tc.what == "" {
				if len(got) > 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].What != tc.what || got[0].Level != tc.level || got[0].Account != tc.account || len(got[0].For) == 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}
