package redis_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/redis"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, redis.New()) }

func TestDump(t *testing.T) {
	artifacttest.GoldenAs(t, redis.Dump(), "authorized_keys.rdb", "/root/.ssh/authorized_keys", "")
}

func TestNoDump(t *testing.T) {
	for breaks, in := range map[string]string{
		"an empty file": "", "a file of keys": "ssh-ed25519 AAAA root@host\n", "the word alone": "REDIS0", "letters for digits": "REDIS00x1\n* * * * * root id\n", "a text about dumps": "REDIS is a server\n",
	} {
		if got := string(artifacttest.Run(t, redis.Dump(), artifacttest.Input([]byte(in)))); got != "seen 0 records, 0 unparsed\n" {
			t.Errorf("%s: %s", breaks, got)
		}
	}
}

// A dump whose fields are cut off or make no sense is told all the same, without what they would have said.
func TestBrokenDump(t *testing.T) {
	for breaks, in := range map[string]string{
		"no fields": "REDIS0006\xfe\x00", "cut in a field": "REDIS0009\xfa\x09redis-", "a length past the end": "REDIS0009\xfa\x05ctime\xc2\x00\x00", "a time before 1970": "REDIS0009\xfa\x05ctime\xc0\xff",
	} {
		if got := string(artifacttest.Run(t, redis.Dump(), artifacttest.Input([]byte(in)))); !strings.HasPrefix(got, "database-command - service.name=redis") {
			t.Errorf("%s: %s", breaks, got)
		}
	}
}

func TestSniff(t *testing.T) {
	sniff := redis.New().Sniff
	for in, want := range map[string]bool{
		"812:C 23 Nov 2023 13:01:42.123 # oO0O": true, "\n812:M 23 Nov 13:01:42.123 * DB": true, "[812] 23 Nov 13:01:42 * DB": true, "812:signal-handler (1700744502) Received": true,
		"": false, "Nov 23 13:01:42 host redis[812]: DB": false, "[812] x": false, "812:M 23 Nov 2023 13:01:42.123 ! x": false, "812:M 33 Nov 2023 13:01:42.123 * x": false,
	} {
		if sniff([]byte(in)) != want {
			t.Errorf("%q: want %v", in, want)
		}
	}
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, redis.New) }

func FuzzDump(f *testing.F) {
	b, err := os.ReadFile("testdata/authorized_keys.rdb")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, redis.Dump, string(b))
}

func BenchmarkParse(b *testing.B) {
	data := bytes.Repeat([]byte("812:M 23 Nov 2023 13:01:42.120 * 10 changes in 300 seconds. Saving...\n812:M 23 Nov 2023 13:01:42.121 * Background saving started by pid 900\n900:C 23 Nov 2023 13:01:42.123 * DB saved on disk\n812:M 23 Nov 2023 13:01:42.222 * Background saving terminated with success\n"), 3000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for range redis.New().Parse(context.Background(), artifacttest.Input(data)) {
		}
	}
}
