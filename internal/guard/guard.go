// Package guard holds the program's only recover: one parser's fault on one file
// must not cost the rest of the evidence. In tests and under fuzzing it is off, so
// that the fault is seen.
package guard

import (
	"fmt"
	"runtime/debug"
	"testing"
)

// Fault is a panic that was caught, as an error.
type Fault struct {
	What  string // what was being done
	Cause any
	Stack []byte
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: internal fault: %v", f.What, f.Cause) }

// Run calls f and gives its error; a panic inside becomes a *Fault.
func Run(what string, f func() error) (err error) {
	if !testing.Testing() {
		defer func() {
			if v := recover(); v != nil {
				err = &Fault{What: what, Cause: v, Stack: debug.Stack()}
			}
		}()
	}
	return f()
}
