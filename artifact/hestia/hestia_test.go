package hestia_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/hestia"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, hestia.New(), "auth.txt", "/usr/local/hestia/log/auth.log", "")
	artifacttest.GoldenAs(t, hestia.New(), "system.txt", "/usr/local/hestia/log/system.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, hestia.New, "2024-01-02 03:04:05 admin 203.0.113.5 failed to login \n", "2024-01-02 03:04:05 v-add-user 'alice' '******' 'a@example.org'\n")
}
