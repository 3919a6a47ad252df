package mosquitto_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/mosquitto"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, mosquitto.New(), "mosquitto.txt", "/var/log/mosquitto/mosquitto.log", "")
}

func TestSniff(t *testing.T) {
	b, err := os.ReadFile("testdata/mosquitto.txt")
	if err != nil || !mosquitto.New().Sniff(b) || mosquitto.New().Sniff([]byte("Jul  6 06:01:40 host x[1]: y\n")) {
		t.Error("its log is not told from others", err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/mosquitto.txt")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, mosquitto.New, string(b))
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, mosquitto.Syslog) }
