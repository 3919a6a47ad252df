package exhibits

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

// TestTheIndexFitsTheFiles checks each row against the file that it names and the claim that it stands behind.
func TestTheIndexFitsTheFiles(t *testing.T) {
	same := &report.Document{}
	same.Claims = []story.Claim{{ID: "c1", For: []story.Quotation{{Quote: "x"}, {Quote: "y"}, {Quote: "x"}}, Against: []story.Quotation{{Quote: "y"}, {Quote: ""}}}}
	for name, d := range map[string]*report.Document{"same": same, "hostile": reporttest.Hostile(), "formula": reporttest.Compromised("=1+1\n,\""), "empty": {}} {
		files := Files(d)
		content, rows := map[string][]byte{}, [][]string{}
		for _, f := range files[1:] {
			if content[f.Name] != nil {
				t.Errorf("%s: %s is there twice", name, f.Name)
			}
			content[f.Name] = f.Content
		}
		rows, err := csv.NewReader(bytes.NewReader(files[0].Content)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, c := range d.Claims {
			want += len(c.For) + len(c.Against)
		}
		if len(rows)-1 != want {
			t.Errorf("%s: %d rows, want %d", name, len(rows)-1, want)
		}
		for i, r := range rows[1:] {
			sum := sha256.Sum256(content[r[9]])
			if _, ok := content[r[9]]; !ok || r[0] != fmt.Sprint("E", i+1) || r[8] != hex.EncodeToString(sum[:]) {
				t.Errorf("%s: row %v does not fit its file", name, r)
			}
			for _, cell := range r {
				if strings.HasPrefix(cell, "=") {
					t.Errorf("%s: the cell %q is a formula", name, cell)
				}
			}
		}
		if name == "same" && len(content) != 3 {
			t.Errorf("%d files for three texts", len(content))
		}
	}
}

func TestBounds(t *testing.T) {
	d := &report.Document{}
	d.Claims = []story.Claim{{ID: "c1", For: make([]story.Quotation, Max+5)}}
	if list, left := List(d); len(list) != Max || left != 5 {
		t.Errorf("%d listed, %d left out", len(list), left)
	}
	d.Claims[0].For = make([]story.Quotation, 5)
	for i := range d.Claims[0].For {
		d.Claims[0].For[i].Quote = strings.Repeat(fmt.Sprint(i), maxBytes/4)
	}
	if list, left := List(d); len(list) != 4 || left != 1 {
		t.Errorf("%d listed, %d left out", len(list), left)
	}
}
