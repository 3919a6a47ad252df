package views

import "telltale/acquire/namespace"

// FreshProc gives the path of a proc filesystem of our own, attached nowhere: what is mounted over parts of /proc, or
// over /proc itself, is not mounted over this one. The path is good until close is called.
func FreshProc() (path string, close func() error, err error) {
	return namespace.Mount("proc", "/proc")
}
