package running_test

import (
	"strconv"
	"strings"
	"testing"

	"telltale/detect/detecttest"
	"telltale/detect/running"
	"telltale/event"
)

// TestCraftedLists: a list that has no end is judged in part, and that is told.
func TestCraftedLists(t *testing.T) {
	f := running.New().New(detecttest.Scene())
	for i := range 200_000 {
		e := event.Event{Kind: event.ProcessSeen, Raw: []byte("x")}
		e.AddText(event.ProcessPID, strconv.Itoa(i+2))
		e.AddText(event.ParentPID, strconv.Itoa(i+3))
		e.AddText(event.Executable, "/dev/shm/.x")
		e.AddText(event.ProcessTrait, "deleted")
		f.Observe(&e)
	}
	n, said := 0, false
	for x := range f.Findings(t.Context()) {
		n++
		said = said || strings.Contains(x.Title, "were not judged")
	}
	if n > 501 || !said {
		t.Errorf("%d findings, said %v", n, said)
	}
}
