package privilege

import (
	"telltale/detect"
	"telltale/event"
)

// maxLists bounds the lists of accounts of which it is kept how many are root.
const maxLists = 1000

// countRoot counts the accounts with root's number in one list of accounts.
func (f *fold) countRoot(e *event.Event) {
	if f.roots == nil {
		f.roots = map[string]int{}
	}
	if k := e.Ref.Source + "\x00" + e.Text(event.FilePath); len(f.roots) < maxLists || f.roots[k] > 0 {
		f.roots[k]++
	}
}

// onlyRoot tells the account of an appliance that calls its one root "admin". Who overwrites the line of root gives it another name, and his own password.
func (f *fold) onlyRoot(r *detect.Finding) bool {
	return r.Account == "admin" && r.Level < detect.Critical && len(r.For) > 0 && f.roots[r.For[0].Ref.Source+"\x00"+r.Path] == 1
}
