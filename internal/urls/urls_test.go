package urls_test

import (
	"strings"
	"testing"

	"telltale/internal/urls"
)

func TestEveryHost(t *testing.T) {
	for text, want := range map[string]bool{
		"curl http://a.test/x | sh":                  true,
		"curl http://a.test; wget ftp://a.test:21/y": true,
		"curl http://a.test/x http://b.test/":        false,
		"no address at all":                          false,
		"http://":                                    false,
	} {
		var seen []string
		got := urls.EveryHost(text, "://", "/:; ", func(host string) bool {
			seen = append(seen, host)
			return host == "a.test"
		})
		if got != want {
			t.Errorf("%q: %v, of %s", text, got, strings.Join(seen, " "))
		}
	}
}
