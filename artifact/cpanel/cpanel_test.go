package cpanel_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/cpanel"
)

func TestGolden(t *testing.T) {
	for _, name := range []string{"access", "login", "session", "tokens", "accounting"} {
		artifacttest.GoldenAs(t, cpanel.New(), name+".txt", "/usr/local/cpanel/logs/"+name+"_log", "")
	}
}

func TestHulk(t *testing.T) { artifacttest.Golden(t, cpanel.Hulk()) }

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, cpanel.New, `203.0.113.5 - alice [01/02/2024:03:04:05 -0000] "POST /cpsess1/execute/Fileman/upload_files?dir=%2fhome HTTP/1.1" 200 0 "" "Mozilla" "s" "-" 2083`+"\n",
		"[2024-01-02 03:04:05 +0000] info [cpaneld] 203.0.113.5 NEW alice:Ab address=203.0.113.5,app=cpaneld,creator=alice,method=handle_form_login\n",
		"[2024-01-02 03:04:05 +0000] info [cpaneld] 203.0.113.5 - x \"GET / HTTP/1.1\" FAILED LOGIN cpaneld: why\n", "Tue Jan  2 03:04:05 2024:CREATE:root:root:example.org:alice\n")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, cpanel.Hulk) }
