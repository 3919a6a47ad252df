//go:build !linux

package contain

import (
	"context"
	"net/netip"
	"time"
)

// What follows is for systems that are not Linux: everything is refused.

// Read is refused.
func Read() (State, error) { return State{}, ErrNoFilter }

// Isolate is refused.
func Isolate(Plan) (State, error) { return State{}, ErrNoFilter }

// Confirm is refused.
func Confirm(time.Duration) (State, error) { return State{}, ErrNoFilter }

// Release is refused.
func Release() (State, error) { return State{}, ErrNoFilter }

// Rules gives none.
func (p Plan) Rules() []RuleText { return nil }

// Look sees nothing, and says so.
func Look(context.Context, string) Situation {
	return Situation{Unseen: []string{"everything: this is not Linux"}}
}

// Resolvers finds none.
func Resolvers() ([]netip.Addr, error) { return nil, ErrNoFilter }

// SessionHolders finds none.
func SessionHolders(context.Context, string) ([]int, error) { return nil, ErrNoFilter }
