package webmin_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/webmin"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, webmin.New()) }

func TestActions(t *testing.T) {
	artifacttest.GoldenAs(t, webmin.Actions(), "actions.txt", "/var/webmin/webmin.log", "")
}

func FuzzActions(f *testing.F) {
	artifacttest.Fuzz(f, webmin.Actions, "1710382269.4711.0 [14/Mar/2024 02:11:09] admin - 203.0.113.9 global miniserv.pl \"failed\" \"-\" \"wrongpass\"\n")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, webmin.New) }
