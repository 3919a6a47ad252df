package contain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Read gives what of ours is in the kernel now, in the network namespace of the calling thread.
func Read() (State, error) {
	c, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return State{}, explain(err)
	}
	defer c.close()
	s, _, err := readState(c)
	return s, err
}

// Isolate lays a plan and gives the state as read back. It is ErrInForce where a plan is in force already; one whose time
// is over is replaced. Where the kernel has no filter for bridges, State.Bridge is false.
//
// ErrUnsure comes with the state: the plan was laid, and the kernel shows another one.
func Isolate(p Plan) (State, error) {
	if err := p.Check(); err != nil {
		return State{}, err
	}
	p = p.tidy()
	c, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return State{}, explain(err)
	}
	defer c.close()
	old, families, err := readState(c)
	switch {
	case err != nil:
		return old, err
	case old.Present && !old.recognised():
		return old, ErrForeign
	case old.Armed:
		return old, ErrInForce
	}
	err = c.transact(append(remove(families), p.lay(true)...))
	if step := (*stepError)(nil); errors.As(err, &step) && step.bridge() && !errors.Is(err, unix.EPERM) {
		families = slices.DeleteFunc(families, func(f uint8) bool { return f == unix.NFPROTO_BRIDGE })
		err = c.transact(append(remove(families), p.lay(false)...))
	}
	if errors.Is(err, unix.EEXIST) {
		return old, fmt.Errorf("%w: %w", ErrInForce, err) // somebody else was quicker
	}
	if err != nil {
		return old, explain(err)
	}
	s, _, err := readState(c)
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return s, s.is(p)
}

// Confirm gives what is in force another life from now on; 0 is until released.
func Confirm(life time.Duration) (State, error) {
	if err := (Plan{For: life}).Check(); err != nil {
		return State{}, err
	}
	c, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return State{}, explain(err)
	}
	defer c.close()
	s, _, err := readState(c)
	if err != nil {
		return s, err
	}
	if !s.Armed {
		return s, ErrNotInForce
	}
	err = c.transact(rearm(s.Bridge, life))
	if errors.Is(err, unix.ENOENT) {
		return s, fmt.Errorf("%w: its time ended just now", ErrNotInForce)
	}
	if err != nil {
		return s, explain(err)
	}
	now, _, err := readState(c)
	if err != nil {
		return now, fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	s.Plan.For = life
	return now, now.is(s.Plan)
}

// Release takes our tables out, whatever is in them, and gives what was there before.
func Release() (State, error) {
	c, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return State{}, explain(err)
	}
	defer c.close()
	s, families, err := readState(c)
	if len(families) == 0 {
		if err == nil {
			err = ErrNotInForce
		}
		return s, err
	}
	// A table that cannot be read wholly is taken out all the same.
	if err := c.transact(remove(families)); err != nil {
		return s, explain(err)
	}
	after, _, err := readState(c)
	if err == nil && after.Present {
		err = fmt.Errorf("%w: the table is still there", ErrUnsure)
	}
	return s, err
}

// Rules gives the rules of a plan, for people.
func (p Plan) Rules() []RuleText {
	var out []RuleText
	for _, r := range p.tidy().rules(true) {
		out = append(out, RuleText{familyName(r.family), r.chain, r.comment})
	}
	return out
}

// recognised tells whether a table is one of ours, be it damaged: its rules bear our comments, or it has none.
func (s State) recognised() bool {
	return !slices.ContainsFunc(s.Rules, func(r RuleText) bool {
		return !slices.Contains([]string{sayLoopback, sayDHCP, sayNDP, sayMLD, sayDrop}, r.Text) &&
			!strings.HasPrefix(r.Text, sayAllow) && !strings.HasPrefix(r.Text, sayDNS)
	})
}

// is tells whether a state is that of a plan.
func (s State) is(p Plan) error {
	wrong := slices.Clone(s.Wrong)
	// A life of a few seconds may have ended by now; all others are still armed.
	if !s.Armed && (p.For == 0 || p.For > 5*time.Second) {
		wrong = append(wrong, "nothing is cut")
	}
	if s.Armed && s.For != (p.For != 0) {
		wrong = append(wrong, "its end is not the one that was asked for")
	}
	if s.Armed && p.For > 0 && s.Left > p.For+time.Second {
		wrong = append(wrong, "it ends later than was asked for")
	}
	if !slices.Equal(s.Plan.Allow, p.Allow) || !slices.Equal(s.Plan.DNS, p.DNS) || s.Plan.DHCP != p.DHCP {
		wrong = append(wrong, "other addresses are allowed than was asked for")
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnsure, strings.Join(wrong, "; "))
}
