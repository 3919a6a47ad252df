package web

import (
	"slices"
	"testing"
)

func TestLooked(t *testing.T) {
	s := &script{by: "192.0.2.9", clients: map[string]int64{"192.0.2.9": 1, "203.0.113.50": 6, "203.0.113.51": 9}, acted: map[string]bool{"203.0.113.50": true}}
	if got := s.names(); !slices.Equal(got, []string{"203.0.113.51", "203.0.113.50"}) || s.user() != "203.0.113.51" {
		t.Errorf("%v, %s", got, s.user())
	}
	s.acted = map[string]bool{} // orders in a cookie
	if got := s.names(); len(got) != 3 || s.user() != "192.0.2.9" {
		t.Errorf("%v, %s", got, s.user())
	}
}
