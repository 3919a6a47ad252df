package kernel

import (
	"time"

	"telltale/memory"
)

// clock is what the kernel's clock said when the dump was made.
type clock struct {
	known  bool
	now    time.Time // at the last tick
	booted time.Time
}

// Places of the timekeeper.
const (
	clockReach  = 320      // bytes from the symbol on: before it lies a lock, whose size depends on how the kernel was built
	clockWindow = 64 << 20 // bytes behind the first task, and a quarter of it before: the kernel's image
	nanos       = 1_000_000_000
)

// readClock finds the timekeeper (kernel/time/timekeeping.c): by its symbol, else by its form within the kernel's image.
func (k *Kernel) readClock() clock {
	if at := k.symbols["tk_core"]; at != 0 {
		for off := uint64(0); off <= clockReach; off += 8 {
			if c := k.clockAt(at + off); c.known {
				return c
			}
		}
	}
	if c := k.searchClock(); c.known {
		return c
	}
	k.say("the kernel's clock was not found: when it was started, and its processes, is not known")
	return clock{}
}

// searchClock looks for a timekeeper around the first task, within the kernel's image.
func (k *Kernel) searchClock() (c clock) {
	t := k.object("timekeeper", highHalf)
	real, ok1 := t.need("offs_real")
	back, ok2 := t.need("wall_to_monotonic.tv_sec")
	if !ok1 || !ok2 {
		return c
	}
	b := make([]byte, memory.PageSize)
	image := k.task &^ (memory.PageSize - 1)
	k.space.mapped(image-clockWindow/4, image+clockWindow, func(page uint64) bool {
		if k.space.read(b, page) != nil {
			return true
		}
		for i := 0; i < len(b); i += 8 { // most are told apart by one word
			if sec := int64(le.Uint64(b[i:])); sec > -10_000_000_000 && sec < -1_000_000_000 {
				at := page + uint64(i) - uint64(back.Off)
				if v, ok := k.u64(at + uint64(real.Off)); ok && int64(v)/nanos+sec <= 1 && int64(v)/nanos+sec >= -1 {
					c = k.clockAt(at)
				}
			}
			if c.known {
				return false
			}
		}
		return true
	})
	return c
}

// clockAt reads a timekeeper, if there is one: what it adds to the clock since boot is what it takes off the wall's.
func (k *Kernel) clockAt(addr uint64) (c clock) {
	t := k.object("timekeeper", addr)
	lost := k.lost
	defer func() { k.lost = lost }()
	real, sec := int64(t.uint("offs_real")), int64(t.uint("xtime_sec"))
	if real <= 0 || sec < 1_000_000_000 || sec > 10_000_000_000 {
		return c
	}
	back := int64(t.uint("wall_to_monotonic.tv_sec"))*nanos + int64(t.uint("wall_to_monotonic.tv_nsec"))
	if -back != real {
		return c
	}
	shift := t.u32("tkr_mono.shift")
	nsec := int64(t.uint("tkr_mono.xtime_nsec") >> min(shift, 63))
	boot := real - int64(t.uint("offs_boot"))
	return clock{known: true, now: time.Unix(sec, min(max(nsec, 0), nanos-1)).UTC(), booted: time.Unix(0, boot).UTC()}
}

// since gives the time that lies so long behind the start of the machine, "" where that is not known.
func (c clock) since(ns uint64) string {
	if !c.known || ns > 1<<62 {
		return ""
	}
	return c.booted.Add(time.Duration(ns)).Format(time.RFC3339Nano)
}
