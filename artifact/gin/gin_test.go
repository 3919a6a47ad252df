package gin_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/gin"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, gin.New(), "gin.txt", "/var/log/gotify/gotify.log", "")
}

func TestSniff(t *testing.T) {
	b, err := os.ReadFile("testdata/gin.txt")
	if err != nil || !gin.New().Sniff(b) || gin.New().Sniff([]byte("Jul  6 06:01:40 host x[1]: y\n")) {
		t.Error("its log is not told from others", err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/gin.txt")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, gin.New, string(b))
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, gin.Syslog) }
