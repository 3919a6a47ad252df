package story

import (
	"fmt"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// byPackage gives the package whose script ran when something appeared that no package's list holds; nil if there is none.
func (b *builder) byPackage(f *detect.Finding) *detect.Finding {
	if f.Package != "" || f.What == detect.AccountOdd {
		return nil
	}
	var best *detect.Finding
	for _, p := range b.by[detect.Installed] {
		in := func(t evidence.Time) bool {
			return t.Known() && t.Sub(p.First) >= -time.Second && t.Sub(p.Last) <= 2*time.Second
		}
		if (in(f.First) || in(f.Last)) && (best == nil || p.Last.Sub(p.First) < best.Last.Sub(best.First)) {
			best = p
		}
	}
	return best
}

// bySupply tells what packages' scripts left that is bad in itself: nobody came in, it was brought. Whoever installed the
// package is not suspected for it.
func (b *builder) bySupply() {
	by := map[*detect.Finding][]*detect.Finding{}
	var order []*detect.Finding
	for _, w := range []detect.What{detect.Persistence, detect.OddFile} {
		for _, f := range b.by[w] {
			if f.Level < detect.High || !f.First.Known() || w == detect.Persistence && f.Mechanism == "ld-preload" && f.Level < detect.Critical { // packages that watch what runs preload their own library
				continue
			}
			p := b.byPackage(f)
			if p == nil {
				continue
			}
			if by[p] == nil {
				order = append(order, p)
			}
			by[p] = append(by[p], f)
		}
	}
	for _, p := range order {
		made := by[p]
		quotes := append([]evidence.Quote{}, p.For...)
		for _, f := range made {
			quotes = append(quotes, f.For...)
		}
		text := fmt.Sprintf("While the package %s %s was installed, %s to %s, this appeared, which stands in no package's list: %s.", p.Path, p.Detail, clock(p.First), clock(p.Last), names3(made))
		id := b.claim(text, evidence.Effect, p.First, Likely, quotes, nil)
		b.effect = ids(append(b.effect, id)...)
		b.becameRoot(id)
		for _, f := range made {
			if f.What == detect.OddFile {
				b.action("came with the package "+p.Path+": "+f.Title, first(f.Attack), f.First, "root", f.Path, id)
			}
		}
		b.entered = append(b.entered, way{vector: "supply-chain", status: Likely, service: p.Service, account: "root", sources: []string{}, first: p.First, last: p.Last, claims: ids(id), weights: weighs(nil, "package-ran", id), product: p.Path + " " + p.Detail})
	}
}
