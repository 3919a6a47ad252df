// Package exhibits numbers the evidence behind each claim: E1 is the first quotation of the first claim. Quotations of the same words
// are one file. A quotation is as the document holds it: bytes that are not UTF-8 stand in it as \xNN, and the digest is of what the
// file holds.
package exhibits

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"telltale/casefile"
	"telltale/report"
	"telltale/report/internal/text"
	"telltale/story"
)

// What a list holds at most; report.json holds all quotations.
const (
	Max      = 20_000
	maxBytes = 64 << 20 // of all files
)

// Exhibit is one quotation.
type Exhibit struct {
	Number  string // "E1"
	Claim   string
	Against bool // it speaks against the claim
	Quote   *story.Quotation
	SHA256  string // of the quoted words
	File    string // within the folder of exhibits
}

// List numbers the quotations, and tells how many are left out.
func List(d *report.Document) (out []Exhibit, left int) {
	files, bytes := map[[sha256.Size]byte]string{}, 0
	for i := range d.Claims {
		c := &d.Claims[i]
		for j := range len(c.For) + len(c.Against) {
			q, against := quotation(c, j)
			sum := sha256.Sum256([]byte(q.Quote))
			name := files[sum]
			if len(out) == Max || name == "" && bytes+len(q.Quote) > maxBytes {
				left++
				continue
			}
			if name == "" {
				name = fmt.Sprintf("%05d.txt", len(files)+1)
				files[sum] = name
				bytes += len(q.Quote)
			}
			out = append(out, Exhibit{Number: "E" + strconv.Itoa(len(out)+1), Claim: c.ID, Against: against, Quote: q, SHA256: hex.EncodeToString(sum[:]), File: name})
		}
	}
	return out, left
}

func quotation(c *story.Claim, i int) (q *story.Quotation, against bool) {
	if i < len(c.For) {
		return &c.For[i], false
	}
	return &c.Against[i-len(c.For)], true
}

// header names the columns of the index.
const header = "number,claim,speaks,source,path,offset,length,line,sha256,file\n"

// Files gives the exhibits as a case keeps them: index.csv, and one file for each text.
func Files(d *report.Document) []casefile.Exhibit {
	list, left := List(d)
	index := []byte(header)
	var out []casefile.Exhibit
	for _, e := range list {
		speaks := "for"
		if e.Against {
			speaks = "against"
		}
		for i, s := range []string{e.Number, e.Claim, speaks, e.Quote.Source, e.Quote.Path, num(e.Quote.Offset), num(e.Quote.Length), num(e.Quote.Line), e.SHA256, e.File} {
			if i > 0 {
				index = append(index, ',')
			}
			index = text.AppendCell(index, text.Escape(s))
		}
		index = append(index, '\n')
		if e.File == fmt.Sprintf("%05d.txt", len(out)+1) { // the first of its words
			out = append(out, casefile.Exhibit{Name: e.File, Content: []byte(e.Quote.Quote)})
		}
	}
	if left > 0 {
		index = text.AppendCell(index, fmt.Sprintf("%d more quotations are in report.json", left))
		index = append(index, ",,,,,,,,,\n"...)
	}
	return append([]casefile.Exhibit{{Name: "index.csv", Content: index}}, out...)
}

func num(n int64) string { return strconv.FormatInt(n, 10) }
