package btrfs

import "sync"

// cache keeps recently used values in two generations: when the young one is full it
// becomes the old one, and what was not asked for meanwhile is dropped. It holds at
// most twice max, plus one value where that alone is bigger.
type cache[K comparable, V any] struct {
	mu         sync.Mutex
	max, used  int
	young, old map[K]cached[V]
}

type cached[V any] struct {
	value V
	cost  int
}

func newCache[K comparable, V any](max int) *cache[K, V] {
	return &cache[K, V]{max: max, young: make(map[K]cached[V])}
}

func (c *cache[K, V]) get(k K) (V, bool) {
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

func (c *cache[K, V]) put(k K, v V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(k, cached[V]{v, cost})
}

func (c *cache[K, V]) store(k K, v cached[V]) {
	if c.used > 0 && c.used+v.cost > c.max {
		c.old, c.young, c.used = c.young, make(map[K]cached[V]), 0
	}
	c.young[k] = v
	c.used += v.cost
}
