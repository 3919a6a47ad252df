package extent

import (
	"container/list"
	"sync"
)

// LRU keeps the values that were used last. It holds at most max, plus one value where
// that alone is bigger. Values are shared: who puts one must not change it any more.
type LRU[K comparable, V any] struct {
	mu        sync.Mutex
	max, used int
	order     list.List // front: used last
	at        map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
	cost  int
}

// NewLRU gives an empty cache of values that together cost at most max.
func NewLRU[K comparable, V any](max int) *LRU[K, V] {
	return &LRU[K, V]{max: max, at: make(map[K]*list.Element)}
}

// Get gives the value of k, if it is held.
func (c *LRU[K, V]) Get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.at[k]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruEntry[K, V]).value, true
}

// Put holds v as the value of k.
func (c *LRU[K, V]) Put(k K, v V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.at[k]; ok {
		c.drop(e)
	}
	for c.used+cost > c.max && c.order.Len() > 0 {
		c.drop(c.order.Back())
	}
	c.at[k] = c.order.PushFront(&lruEntry[K, V]{k, v, cost})
	c.used += cost
}

func (c *LRU[K, V]) drop(e *list.Element) {
	x := c.order.Remove(e).(*lruEntry[K, V])
	delete(c.at, x.key)
	c.used -= x.cost
}
