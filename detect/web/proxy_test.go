package web

import (
	"fmt"
	"testing"

	"telltale/event"
	"telltale/evidence"
)

// asked makes a request.
func asked(ip, method, url, size string, at int64) *event.Event {
	e := &event.Event{Kind: event.HTTPRequest, At: evidence.Time{Sec: at, Step: 1e9}, Raw: []byte(url)}
	e.AddText(event.SourceIP, ip)
	e.AddText(event.HTTPMethod, method)
	e.AddText(event.URL, url)
	e.AddText(event.HTTPBytes, size)
	return e
}

func TestOpenProxy(t *testing.T) {
	for name, tc := range map[string]struct {
		url, network string
		size         func(i int) int
		want         int
	}{
		"strangers everywhere":            {"http://www.site%d.example/x", "203.0.113.%d", func(i int) int { return 4000 + i }, 1},
		"the front page for whoever asks": {"http://www.site%d.example/x", "203.0.113.%d", func(int) int { return 4000 }, 0},
		"only front pages":                {"http://www.site%d.example/", "203.0.113.%d", func(i int) int { return 4000 + i }, 0},
		"an office's own proxy":           {"http://www.site%d.example/x", "192.168.1.%d", func(i int) int { return 4000 + i }, 0},
		"one site's own names":            {"http://www%d.site.example/x", "203.0.113.%d", func(i int) int { return 4000 + i }, 0},
	} {
		f := &fold{}
		for i := range 60 {
			e := asked(fmt.Sprintf(tc.network, i%20+1), "GET", fmt.Sprintf(tc.url, i%9), fmt.Sprint(tc.size(i)), int64(1000+i))
			f.proxies(e.Get(event.SourceIP), e, 200)
		}
		if got := len(f.openProxy()); got != tc.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}
