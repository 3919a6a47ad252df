package units_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/units"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, units.New(), "service.txt", "/etc/systemd/system/helper.service", "")
	artifacttest.GoldenAs(t, units.New(), "timer.txt", "/etc/systemd/system/helper.timer", "")
	artifacttest.GoldenAs(t, units.New(), "path.txt", "/etc/systemd/system/helper.path", "")
	artifacttest.GoldenAs(t, units.New(), "user.txt", "/home/alice/.config/systemd/user/a.service.d/x.conf", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, units.New, "[Service]\nExecStart=/bin/x \\\n y\nUser=a\n")
}
