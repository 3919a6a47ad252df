package jsonaccess_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/jsonaccess"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, jsonaccess.New(), "access.txt", "/var/log/caddy/access.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, jsonaccess.New, `{"ts":1720486800.1,"request":{"remote_ip":"203.0.113.6","method":"GET","uri":"/"},"status":200}`+"\n")
}
