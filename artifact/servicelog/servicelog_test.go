package servicelog_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/servicelog"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, servicelog.New(), "solr.log", "/var/log/solr/solr.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, servicelog.New, "[Sat, 03 Jun 2023 06:41:12 GMT] 203.0.113.50 - - PUT /_config/query_servers/cmd 200\n2023-06-03 06:39:05,1 uid=0(root) gid=0(root) 1.2.3.4.5 curl")
}
