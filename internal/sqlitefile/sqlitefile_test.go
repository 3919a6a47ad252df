package sqlitefile_test

import (
	"bytes"
	"testing"

	"telltale/internal/sqlitefile"
)

func TestNoDatabase(t *testing.T) {
	for _, s := range []string{"", "SQLite format 3\x00", "something else that is longer than a header of SQLite's, which has a hundred bytes, so that it is read whole"} {
		db, done, err := sqlitefile.Open(bytes.NewReader([]byte(s)), int64(len(s)), 1<<20)
		if err != nil {
			continue
		}
		var n int
		if err := db.QueryRow("SELECT count(*) FROM x").Scan(&n); err == nil {
			t.Errorf("%q has a table", s)
		}
		if err := done(); err != nil {
			t.Error(err)
		}
	}
}
