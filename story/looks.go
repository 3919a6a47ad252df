package story

import (
	"fmt"
	"strings"

	"telltale/detect"
)

// shellWords says which script looks like a web shell where only logs tell of it: what to look for, and who used it. That somebody asked is no proof that it answered.
func (b *builder) shellWords(sources []string) string {
	for _, w := range []detect.What{detect.WebUpload, detect.WebScript} {
		for _, f := range b.by[w] {
			if f.Level < detect.High || f.Path == "" || f.Count == 0 || !contains(sources, f.Source) {
				continue
			}
			text := fmt.Sprintf("What looks like a web shell is %s, which %s asked for (%s)", utf8(f.Path), f.Source, plural(f.Count, "request", "requests"))
			if n := b.ordersOf(f.Source); n > 0 {
				text += fmt.Sprintf("; %s of that address tried orders to a shell", plural(n, "request", "requests"))
			}
			return text + ". If that file is on the server and nobody knows it, somebody got in. "
		}
	}
	return ""
}

// ordersOf counts the requests with orders to a shell in a parameter, if only this address made any.
func (b *builder) ordersOf(source string) int64 {
	for _, f := range b.by[detect.WebAttack] {
		if strings.HasPrefix(f.Mechanism, "orders to a shell") && len(f.Sources) == 1 && f.Sources[0] == source {
			return f.Count
		}
	}
	return 0
}
