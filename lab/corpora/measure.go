package corpora

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// Outcome is how a sample was read.
type Outcome string

// The outcomes.
const (
	Right   Outcome = "right"
	Wrong   Outcome = "wrong"
	Missed  Outcome = "missed"
	Accused Outcome = "accused"
	Apart   Outcome = "apart"
)

// Verdict is a sample and how it was read.
type Verdict struct {
	Sample
	Outcome  Outcome `json:"outcome"`
	Why      string  `json:"why,omitempty"` // where it is not right
	Unparsed bool    `json:"unparsed,omitempty"`
}

// Measure examines the samples, each as a log of its own.
func Measure(ctx context.Context, samples []Sample) (out []Verdict, err error) {
	for from := 0; from < len(samples); {
		to := from + 1
		for to < len(samples) && samples[to].Zone.String() == samples[from].Zone.String() {
			to++ // one zone for a run
		}
		got, err := tell(ctx, samples[from:to])
		if err != nil {
			return nil, err
		}
		for i := range got {
			out = append(out, judge(&samples[from+i], &got[i]))
		}
		from = to
	}
	return out, nil
}

// told are the events that came of a sample.
type told struct {
	events   []one
	unparsed bool
}

type one struct {
	kind event.Kind
	host string
	at   time.Time
}

func (o one) String() string {
	return fmt.Sprintf("%s %q %s", o.kind, o.host, o.at.Format("2006-01-02T15:04:05Z"))
}

// tell writes each sample as a file of its own, changed when its label says, and examines the folder.
func tell(ctx context.Context, samples []Sample) (got []told, err error) {
	work, err := os.MkdirTemp("", "telltale-corpora-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	dir, spool := filepath.Join(work, "logs"), filepath.Join(work, "spool")
	for _, d := range []string{dir, spool} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, err
		}
	}
	if err := writeLogs(dir, samples); err != nil {
		return nil, err
	}
	got = make([]told, len(samples))
	var wants []event.Kind
	for _, a := range artifacts.Artifacts() {
		wants = append(wants, a.Kinds...)
	}
	collect := &detect.Detection{ID: "collect", Wants: wants, New: func(detect.Scene) detect.Fold { return collector{got} }}
	r, err := examine.Run(ctx, examine.Options{Evidence: []string{dir}, Spool: spool, Zone: samples[0].Zone, Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	unread(got, r)
	return got, nil
}

func writeLogs(dir string, samples []Sample) error {
	for i := range samples {
		s := &samples[i]
		p := filepath.Join(dir, fmt.Sprintf("sample%06d.log", i))
		if err := os.WriteFile(p, []byte(s.Text+"\n"), 0o600); err != nil {
			return err
		}
		if at, hasYear, ok := stamp(s.Time, s.Zone); ok && hasYear {
			if err := os.Chtimes(p, at, at.Add(time.Minute)); err != nil {
				return err
			}
		}
	}
	return nil
}

// unread notes the samples that no reader took up or understood.
func unread(got []told, r *examine.Result) {
	for i := range got {
		got[i].unparsed = true
	}
	if r == nil {
		return
	}
	for _, c := range r.Coverage {
		if i, ok := number(c.Path); ok && i < len(got) && c.Records > 0 && c.Unparsed == 0 {
			got[i].unparsed = false
		}
	}
}

func number(path string) (i int, ok bool) {
	_, err := fmt.Sscanf(filepath.Base(path), "sample%d.log", &i)
	return i, err == nil && i >= 0
}

type collector struct{ got []told }

// Observe keeps an event with the sample that it came of.
func (c collector) Observe(e *event.Event) {
	i, ok := number(e.Ref.Path)
	if !ok || i >= len(c.got) {
		return
	}
	host := e.Text(event.SourceIP)
	if host == "" {
		host = e.Text(event.SourceHost)
	}
	x := one{e.Kind, host, e.At.Std()}
	for _, y := range c.got[i].events {
		if x == y {
			return // a detection gets an event once for each time it asks for the kind
		}
	}
	c.got[i].events = append(c.got[i].events, x)
}

// Findings gives none.
func (collector) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

func words(events []one) string {
	if len(events) == 0 {
		return "nothing"
	}
	var b strings.Builder
	for i, e := range events {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.String())
	}
	return b.String()
}
