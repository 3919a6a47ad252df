package mongodb_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/mongodb"
)

func TestGolden(t *testing.T) {
	a := mongodb.New()
	a.Decode = nil
	artifacttest.Golden(t, a)
}

func TestSyslog(t *testing.T) {
	a := mongodb.New()
	a.Parse = nil
	artifacttest.GoldenAs(t, a, "syslog.txt", "/var/log/syslog", "")
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, `{"t":{"$date":"2024-03-02T08:00:01.100+00:00"},"s":"I","c":"CONTROL","id":1,"ctx":"main","msg":"x"}`: true,
		"2019-07-25T19:13:31.000+0000 I NETWORK  [initandlisten] waiting for connections on port 27017": true,
		"2019-07-25T19:13:31.000+0000 [initandlisten] x":                                                false, `{"t":{"$date":"2024-03-02T08:00:01Z"}}`: false,
		`{"ts":1720486800.1,"request":{"remote_ip":"203.0.113.6"}}`: false, "2024-01-02T15:04:05Z web sshd[1]: x": false,
	} {
		if mongodb.New().Sniff([]byte(in)) != want {
			t.Errorf("%q: want %v", in, want)
		}
	}
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, mongodb.New) }
