package procread

import (
	"errors"
	"fmt"
	"time"
)

// ErrLate says that something took longer than it was given. It may still be going on.
var ErrLate = errors.New("it was not done in time")

// Within gives what f gives, or ErrLate after d. A call that hangs in the kernel cannot be ended, so that f's goroutine is
// left behind: f must keep nothing that others use.
func Within[T any](d time.Duration, f func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	c := make(chan answer, 1)
	go func() {
		v, err := f()
		c <- answer{v, err}
	}()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case a := <-c:
		return a.v, a.err
	case <-t.C:
		var none T
		return none, fmt.Errorf("%w (%v)", ErrLate, d)
	}
}
