package cache_test

import (
	"testing"

	"telltale/internal/cache"
)

func TestOnlyWhatIsAskedForStays(t *testing.T) {
	c := cache.New[int, int](10)
	for i := range 100 {
		c.Put(i, i*i, 1)
		if v, ok := c.Get(0); !ok || v != 0 {
			t.Fatalf("0 was dropped after %d, though it is asked for", i)
		}
	}
	kept := 0
	for i := range 100 {
		if v, ok := c.Get(i); ok {
			if kept++; v != i*i {
				t.Errorf("%d gives %d", i, v)
			}
		}
	}
	if kept > 20 {
		t.Errorf("%d values are kept, bound 20", kept)
	}
}

func TestAValueBiggerThanAllIsKeptAlone(t *testing.T) {
	c := cache.New[string, int](10)
	c.Put("big", 1, 1000)
	if _, ok := c.Get("big"); !ok {
		t.Error("it is not kept")
	}
	c.Put("a", 1, 1)
	c.Put("b", 1, 10)
	c.Put("c", 1, 10)
	if _, ok := c.Get("big"); ok {
		t.Error("it is still kept")
	}
}
