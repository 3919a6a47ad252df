package story

import (
	"strings"
	"testing"

	"telltale/detect"
)

// TestToldOnce: a job that two lines start is one way to come back, and lines of one file are one, too; every claim is a sentence.
func TestToldOnce(t *testing.T) {
	first := cron("/etc/cron.hourly/gcc.sh", "/lib/libudev.so.6", detect.High, "03:02:00")
	first.Detail = "uses the hidden path /tmp/.x"
	again := with(first, func(f *detect.Finding) { f.For = quote("/etc/cron.hourly/gcc.sh#2") })
	other := with(first, func(f *detect.Finding) { f.Runs, f.For = "cp /a /b", quote("/etc/cron.hourly/gcc.sh#3") })
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), first, again, other}, full())
	check(t, &s)
	if len(s.Persistence) != 2 || s.WaysBack() != 1 || !strings.Contains(s.Verdict.Summary, "left 1 way to come back") {
		t.Errorf("%d, %d: %s", len(s.Persistence), s.WaysBack(), s.Verdict.Summary)
	}
	n := 0
	for _, a := range s.Actions {
		if strings.Contains(a.What, "left") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d acts left it behind: %+v", n, s.Actions)
	}
	for _, c := range s.Claims {
		if strings.Contains(c.Text, "run: ") && (!strings.Contains(c.Text, "; the file changed") || !strings.HasSuffix(c.Text, ".")) {
			t.Error(c.Text)
		}
	}
}

// TestAcceptanceShowsNoRefusal: that a login was accepted is not shown by the tries before it.
func TestAcceptanceShowsNoRefusal(t *testing.T) {
	in, tries := guessed("03:00:00", "03:10:00"), guessing
	tries.Source, tries.For = in.Source, quote("/var/log/auth.log#refused")
	in.For = append(quote("/var/log/auth.log#refused"), quote("/var/log/auth.log#accepted")...)
	s := Build(t.Context(), []detect.Finding{tries, in, sudo("bob", "03:01:00")}, full())
	check(t, &s)
	for _, c := range s.Claims {
		if strings.Contains(c.Text, " accepted bob from ") && (len(c.For) != 1 || !strings.Contains(c.For[0].Path, "accepted")) {
			t.Errorf("%s: %+v", c.Text, c.For)
		}
	}
}
