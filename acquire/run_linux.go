package acquire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/internal/state"
)

// Collection is an Out that keeps what each step gives together.
type Collection interface {
	Out
	Begin(step string)
	End() error
}

// Patience is how long one step may take, unless it is Long.
const Patience = 10 * time.Second

// Run takes the steps in their order. A step that is late keeps what it has, and the next begins; only a sink that takes nothing any more, or an
// interruption, ends all. Told is shown each step before it begins; it may be nil.
func Run(ctx context.Context, b *Box, steps []Step, c Collection, budget time.Duration, told func(Step)) error {
	spent := time.Now().Add(budget)
	for i := range steps {
		s := &steps[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		if told != nil {
			told(*s)
		}
		c.Begin(s.Name)
		began, since := Clock()
		if err := s.take(ctx, b, c, spent); err != nil {
			return errors.Join(err, c.End())
		}
		if err := c.Record(state.StepFile, &state.Step{Name: s.Name, Wall: began.UTC().Format(time.RFC3339Nano), SinceBoot: since, MS: time.Since(began).Milliseconds()}); err != nil {
			return err
		}
		if err := c.End(); err != nil {
			return err
		}
	}
	return nil
}

// take takes one step within its time.
func (s *Step) take(ctx context.Context, b *Box, c Collection, spent time.Time) error {
	limited := ctx
	if !s.Long {
		left := min(Patience, time.Until(spent))
		if left <= 0 {
			c.Failed(s.Name, errors.New("the time that was given was used up before it began"))
			return nil
		}
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	err := s.Take(limited, b, c)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		c.Failed(s.Name, errors.New("it was not ready in time: what it has seen until then was kept"))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}
