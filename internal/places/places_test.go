package places_test

import (
	"testing"

	"telltale/internal/places"
)

func TestEachPlaceOnce(t *testing.T) {
	var c places.Count[string]
	for _, off := range []int64{7, 7, 8, -1} {
		c.Add("inode", off)
	}
	if c.Of("inode") != 3 || c.Of("block") != 0 || !c.Has("inode", 8) || c.Has("block", 8) || c.Has("inode", 9) {
		t.Errorf("%d, %d", c.Of("inode"), c.Of("block"))
	}
	for i := range int64(2 * places.Most) {
		c.Add("block", i)
	}
	if n := c.Of("block"); n != places.Most {
		t.Errorf("%d places", n)
	}
}
