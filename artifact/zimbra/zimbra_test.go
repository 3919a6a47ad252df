package zimbra_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/zimbra"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, zimbra.New(), "audit.log", "/opt/zimbra/log/audit.log", "")
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, zimbra.New) }
