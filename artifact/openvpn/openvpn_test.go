package openvpn_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/openvpn"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, openvpn.New()) }

func TestSyslog(t *testing.T) {
	artifacttest.GoldenAs(t, openvpn.Syslog(), "syslog.txt", "/var/log/syslog", "")
}

func FuzzSyslog(f *testing.F) {
	artifacttest.Fuzz(f, openvpn.Syslog, "a/192.0.2.1:1 TLS Error: TLS handshake failed", "TLS Error: cannot locate HMAC in incoming packet from [AF_INET]192.0.2.1:1", "192.0.2.1 [a] Peer Connection Initiated with ")
}

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, openvpn.New) }
