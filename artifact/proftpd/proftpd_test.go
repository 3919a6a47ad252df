package proftpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/proftpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, proftpd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, proftpd.New) }

func TestExtendedGolden(t *testing.T) {
	artifacttest.GoldenAs(t, proftpd.Extended(), "extended/commands.log", "/var/log/proftpd/extended.log", "")
	artifacttest.GoldenAs(t, proftpd.Extended(), "extended/debian12.log", "/var/log/proftpd/extended.log", "")
}

func FuzzExtended(f *testing.F) {
	artifacttest.Fuzz(f, proftpd.Extended, `203.0.113.66 UNKNOWN nobody [14/Mar/2024:02:11:10 +0100] "SITE CPTO /var/www/html/x.php" 250 -`)
}
