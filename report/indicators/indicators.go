// Package indicators writes what the story holds against somebody as a table for other tools: CSV with one thing a row. What may be blocked
// elsewhere stands in a column of its own, for an address may be the owner's own network and an account that of a victim. Times are RFC 3339, UTC.
package indicators

import (
	"bufio"
	"io"
	"strings"

	"telltale/report"
	"telltale/report/internal/held"
	"telltale/report/internal/text"
)

// header names the columns. Block is yes, no, or ask: then somebody has to say who knows what else goes there.
const header = "type,value,what,first,last,status,origin,block,claims\n"

// New gives the format.
func New() report.Format {
	return report.Format{Name: "indicators", Doc: "CSV of addresses, accounts, keys, files and programs", File: "indicators.csv", Write: write}
}

func write(w io.Writer, d *report.Document) error {
	b := bufio.NewWriter(w)
	b.WriteString(header)
	var row []byte
	for _, t := range held.Things(d) {
		row = row[:0]
		for i, s := range [...]string{string(t.Kind), t.Value, t.What, t.First, t.Last, string(t.Status), t.Origin, t.Block, strings.Join(t.Claims, " ")} {
			if i > 0 {
				row = append(row, ',')
			}
			row = text.AppendCell(row, text.Escape(s))
		}
		b.Write(append(row, '\n'))
	}
	return b.Flush()
}
