package examine_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/casefile"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// logins are a log of ordinary logins over days, its stamps written by a clock.
func logins(days int, zone *time.Location, from time.Time, stamp func(t time.Time) string) string {
	r := rand.New(rand.NewPCG(7, uint64(days)))
	var b strings.Builder
	for t, n := from, 0; t.Before(from.AddDate(0, 0, days)); t, n = t.Add(time.Duration(1200+r.IntN(7200))*time.Second), n+1 {
		s := stamp(t.In(zone))
		fmt.Fprintf(&b, "%s web1 sshd[%d]: Accepted password for amy from 198.51.100.%d port %d ssh2\n", s, 1000+n, 1+n%9, 40000+n)
		fmt.Fprintf(&b, "%s web1 sshd[%d]: pam_unix(sshd:session): session opened for user amy(uid=1000) by (uid=0)\n", s, 1000+n)
	}
	return b.String()
}

// accepted collects the times of logins by the client's port, from the host's own logs and from the copy.
type accepted struct{ own, copied map[string]time.Time }

func (a accepted) Observe(e *event.Event) {
	m := a.own
	if e.Text(event.Transport) == "remote" {
		m = a.copied
	}
	m[e.Text(event.SourcePort)] = e.At.Std()
}

func (accepted) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

// times collects when logins were.
type times struct{ at *[]time.Time }

func (c times) Observe(e *event.Event) { *c.at = append(*c.at, e.At.Std()) }

func (times) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

// read examines a host's log and another machine's copy of it.
func read(t *testing.T, own, copied string) (accepted, []casefile.Clock) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"own/etc/os-release": "ID=debian\n", "own/etc/hostname": "web1\n", "own/etc/timezone": "UTC\n", "own/var/log/auth.log": own, "copy/web1/auth.log": copied} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, time.Time{}, time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
	}
	var a accepted
	collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.AuthAccepted}, New: func(detect.Scene) detect.Fold {
		a = accepted{map[string]time.Time{}, map[string]time.Time{}} // a second reading begins anew
		return &a
	}}
	res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{filepath.Join(dir, "own")}, RemoteLogs: []string{filepath.Join(dir, "copy")}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
	if err != nil {
		t.Fatal(err)
	}
	return a, res.Clocks
}

var began = time.Date(2024, 6, 1, 8, 0, 0, 0, time.UTC)

func bsd(t time.Time) string { return t.Format("Jan _2 15:04:05") }

func iso(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000-07:00") }

func TestTwoClocksThatDrift(t *testing.T) {
	ahead := func(t time.Time) time.Time {
		return t.Add(287*time.Minute + time.Duration(float64(5*time.Second)*t.Sub(began).Hours()/24))
	}
	a, clocks := read(t, logins(20, time.UTC, began, iso), logins(20, time.UTC, began, func(t time.Time) string { return bsd(ahead(t)) }))
	if len(a.own) < 200 || len(a.copied) != len(a.own) {
		t.Fatalf("%d logins, %d in the copy", len(a.own), len(a.copied))
	}
	for port, want := range a.own {
		if d := a.copied[port].Sub(want).Abs(); d > 2*time.Second {
			t.Fatalf("port %s: %s apart: %+v", port, d, clocks)
		}
	}
	last := clocks[len(clocks)-1]
	if math.Abs(last.Skew-287*60) > 2 || math.Abs(last.Drift-5) > 0.2 || last.Error > 2 || last.Pairs < 200 || last.Against != "text logs of web1" {
		t.Errorf("%+v", last)
	}
}

func TestOneClockIsLeftAlone(t *testing.T) {
	text := logins(5, time.UTC, began, bsd)
	_, clocks := read(t, text, text)
	for _, c := range clocks {
		if c.Skew != 0 || c.Drift != 0 {
			t.Errorf("%+v", c)
		}
	}
}

func TestTheHostsZoneWasChanged(t *testing.T) {
	change := began.AddDate(0, 0, 6)
	kolkata := time.FixedZone("", 5*3600+1800)
	a, clocks := read(t, logins(15, time.UTC, began, func(t time.Time) string {
		if t.After(change) {
			return bsd(t.In(kolkata))
		}
		return bsd(t)
	}), logins(15, time.UTC, began, iso))
	for port, want := range a.copied {
		if d := a.own[port].Sub(want).Abs(); d > 2*time.Second {
			t.Fatalf("port %s at %s: %s apart: %+v", port, want, d, clocks)
		}
	}
	n := 0
	for _, c := range clocks {
		if c.Clock == "text logs of web1" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("two times are expected, each with its zone: %+v", clocks)
	}
}
