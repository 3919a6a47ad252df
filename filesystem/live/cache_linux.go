package live

import (
	"golang.org/x/sys/unix"

	"telltale/filesystem"
)

// How many are held open at once.
const (
	maxDirs  = 64
	maxFiles = 64
)

// cache holds open files by inode; the oldest is closed for a new one, unless somebody reads it just now.
type cache struct {
	open  map[filesystem.Inode]*handle
	order []filesystem.Inode
	max   int
}

type handle struct {
	fd     int
	users  int
	closed bool // was put out of the cache while it was read
}

func newCache(max int) cache { return cache{open: map[filesystem.Inode]*handle{}, max: max} }

// pin keeps one for good.
func (c *cache) pin(i filesystem.Inode, fd int) { c.open[i] = &handle{fd: fd, users: 1} }

func (c *cache) handle(i filesystem.Inode) *handle { return c.open[i] }

func (c *cache) get(i filesystem.Inode) (int, bool) {
	if h := c.open[i]; h != nil {
		return h.fd, true
	}
	return -1, false
}

func (c *cache) put(i filesystem.Inode, fd int) *handle {
	if len(c.order) >= c.max {
		old := c.open[c.order[0]]
		delete(c.open, c.order[0])
		c.order = c.order[1:]
		if old.closed = true; old.users == 0 {
			unix.Close(old.fd)
		}
	}
	h := &handle{fd: fd}
	c.open[i] = h
	c.order = append(c.order, i)
	return h
}

func (c *cache) release(h *handle) {
	if h.users--; h.closed && h.users == 0 {
		unix.Close(h.fd)
	}
}

func (c *cache) close() {
	for _, h := range c.open {
		unix.Close(h.fd)
	}
	c.open, c.order = map[filesystem.Inode]*handle{}, nil
}
