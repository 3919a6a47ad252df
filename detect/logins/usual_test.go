package logins

import (
	"testing"
	"time"
)

func TestUsualTries(t *testing.T) {
	for _, tc := range []struct {
		n    int64
		over time.Duration
		want int64
	}{{200, 27 * 24 * time.Hour, 2}, {200, 24 * time.Hour, 0}, {0, 100 * 24 * time.Hour, 0}, {-3, 100 * 24 * time.Hour, 0}, {1, 10 * 24 * time.Hour, 1}, {4000, 10 * 24 * time.Hour, 100}} {
		if got := usualTries(tc.n, tc.over); got != tc.want {
			t.Errorf("%d over %v: %d, want %d", tc.n, tc.over, got, tc.want)
		}
	}
}
