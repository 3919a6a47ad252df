package daemonconf

import (
	"strings"

	"telltale/artifact/internal/hook"
)

// printer reads a printer's description: "*FoomaticRIPCommandLine: "gs -q ... "" is what foomatic-rip gives to a shell for each job. Whoever may describe a printer to
// cups-browsed writes it. It may go on over several lines, up to the quote that closes it.
func printer() hook.Reader {
	open := false
	return func(t []byte, give func(hook.Found)) {
		s := string(t)
		if !open {
			rest, ok := strings.CutPrefix(s, "*FoomaticRIPCommandLine")
			if !ok {
				return
			}
			_, s, ok = strings.Cut(rest, `"`)
			if !ok {
				return
			}
			open = true
		}
		s, _, closed := strings.Cut(s, `"`)
		open = !closed
		s = strings.TrimSpace(strings.NewReplacer("&quot;", `"`, "&apos;", "'", "&gt;", ">", "&lt;", "<", "&amp;", "&").Replace(s))
		if s != "" {
			give(hook.Found{Runs: s, As: "lp", On: "when something is printed"})
		}
	}
}
