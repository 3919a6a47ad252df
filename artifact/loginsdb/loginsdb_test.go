package loginsdb_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/loginsdb"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, loginsdb.Wtmpdb(), "wtmp.db", "/var/lib/wtmpdb/wtmp.db", "")
	artifacttest.GoldenAs(t, loginsdb.Lastlog2(), "lastlog2.db", "/var/lib/lastlog/lastlog2.db", "")
	artifacttest.GoldenAs(t, loginsdb.Wtmpdb(), "view.db", "/var/lib/wtmpdb/wtmp.db", "")
}

func FuzzWtmpdb(f *testing.F) {
	b, err := os.ReadFile("testdata/wtmp.db")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, loginsdb.Wtmpdb, string(b))
}

// TestDamaged reads databases with bytes changed and cut off: what a fuzzer would do, without its weight on a library of this size.
func TestDamaged(t *testing.T) {
	whole, err := os.ReadFile("testdata/wtmp.db")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		b := bytes.Clone(whole)
		for range 1 + r.IntN(20) {
			at := r.IntN(len(b))
			if r.IntN(2) == 0 {
				at = r.IntN(200) // the header and the schema
			}
			b[at] = byte(r.Uint32())
		}
		artifacttest.Run(t, loginsdb.Wtmpdb(), artifacttest.Input(b[:len(b)-r.IntN(2)*r.IntN(len(b))]))
	}
}
