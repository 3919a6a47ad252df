package markdown

import (
	"strings"

	"telltale/report"
)

// patches tells which software had known faults.
func (p *printer) patches(d *report.Document) {
	if len(d.Patches) == 0 {
		return
	}
	p.line("\n## Missing patches\n\n| status | software | version | mended in | faults | lets one | used elsewhere | claims |\n|---|---|---|---|---|---|---|---|")
	for _, x := range d.Patches {
		elsewhere := "not known"
		if x.Exploited {
			elsewhere = "yes"
		}
		p.line("| %s | %s | %s | %s | %s | %s | %s | %s |", plain(x.Status), code(x.Software), code(x.Version), code(x.Fixed), plain(strings.Join(x.CVE, ", ")), plain(x.What), elsewhere, plain(strings.Join(x.Claims, ", ")))
	}
}
