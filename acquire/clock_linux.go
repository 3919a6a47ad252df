package acquire

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"telltale/internal/state"
)

// timeError is TIME_ERROR of adjtimex(2): the clock is not kept by anything.
const timeError = 5

// Clocks gives the step that reads the clocks; the name tells when. Held against a clock that is right, elsewhere, it says how wrong the machine's stamps are.
func Clocks(name string) Step {
	return Step{Name: name, Doc: "the machine's clocks", Quick: true, Take: func(ctx context.Context, b *Box, out Out) error {
		wall, since := Clock()
		c := &state.Clock{Wall: wall.UTC().Format(time.RFC3339Nano), SinceBoot: since}
		var x unix.Timex
		if n, err := unix.Adjtimex(&x); err != nil {
			out.Failed("how the clock is kept", err)
		} else {
			synced := n != timeError
			c.Synced, c.ErrorUS = &synced, int64(x.Maxerror)
		}
		return out.Record(state.ClockFile, c)
	}}
}
