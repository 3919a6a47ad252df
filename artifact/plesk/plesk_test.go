package plesk_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/plesk"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, plesk.New(), "panel.txt", "/var/log/plesk/panel.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, plesk.New, "[2024-01-02 03:04:05.123] 12345:65937c8f1dcd6 ERR [panel] [Action Log] Failed login attempt with login 'admin' from IP 203.0.113.5\n")
}
