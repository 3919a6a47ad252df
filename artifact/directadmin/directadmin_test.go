package directadmin_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/directadmin"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, directadmin.New(), "login.txt", "/var/log/directadmin/login.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, directadmin.New, "2024:07:09-03:00:00: '203.0.113.6' 2 failed login attempts. Account 'admin'\n")
}
