// Package places counts where something was found wrong, each place once however often it is read, up to a bound.
// Places are in bytes of the source.
package places

import "sync"

// Most is how many places of each kind are remembered; from there on the count stands still.
const Most = 10_000

// Count counts places by kind. Its zero value is ready, and safe for concurrent use.
type Count[K comparable] struct {
	mu sync.Mutex
	by map[K]map[int64]struct{}
}

// Add notes a place.
func (c *Count[K]) Add(kind K, off int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = make(map[K]map[int64]struct{})
	}
	if c.by[kind] == nil {
		c.by[kind] = make(map[int64]struct{})
	}
	if len(c.by[kind]) < Most {
		c.by[kind][off] = struct{}{}
	}
}

// Of gives how many places of a kind there are.
func (c *Count[K]) Of(kind K) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.by[kind])
}

// Has tells whether a place was counted.
func (c *Count[K]) Has(kind K, off int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.by[kind][off]
	return ok
}
