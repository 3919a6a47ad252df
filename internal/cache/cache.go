// Package cache keeps recently used values within a bound: metadata that readers of
// hostile evidence look at again and again. Costs are in whatever the caller counts,
// mostly bytes.
package cache

import "sync"

// Cache keeps recently used values in two generations: when the young one is full it
// becomes the old one, and what was not asked for meanwhile is dropped. It holds at
// most twice max, plus one value where that alone is bigger. It is safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	mu         sync.Mutex
	max, used  int
	young, old map[K]cached[V]
}

type cached[V any] struct {
	value V
	cost  int
}

// New gives a cache whose generations hold max each.
func New[K comparable, V any](max int) *Cache[K, V] {
	return &Cache[K, V]{max: max, young: make(map[K]cached[V])}
}

// Get gives the value of k, and whether it is there.
func (c *Cache[K, V]) Get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.young[k]
	if ok {
		return v.value, true
	}
	if v, ok = c.old[k]; ok {
		delete(c.old, k)
		c.store(k, v)
	}
	return v.value, ok
}

// Put keeps v as the value of k at a cost.
func (c *Cache[K, V]) Put(k K, v V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(k, cached[V]{v, cost})
}

func (c *Cache[K, V]) store(k K, v cached[V]) {
	if c.used > 0 && c.used+v.cost > c.max {
		c.old, c.young, c.used = c.young, make(map[K]cached[V]), 0
	}
	c.young[k] = v
	c.used += v.cost
}
