// Package detecttest is the test kit of the detections: events written as a table, one a line, and what a
// detection makes of them.
package detecttest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// Scene is a host with an administrator, a user and the accounts of daemons.
func Scene() detect.Scene {
	return detect.Scene{HostName: "web1", ChangeTimes: true, WebRoots: []string{"/var/www/html"}, Users: []detect.User{
		{Name: "root", Home: "/root", Shell: "/bin/bash"}, {Name: "amy", Home: "/home/amy", Shell: "/bin/bash", UID: 1000}, {Name: "bob", Home: "/home/bob", Shell: "/bin/bash", UID: 1001},
		{Name: "www-data", Home: "/var/www", Shell: "/usr/sbin/nologin", UID: 33}, {Name: "mysql", Home: "/nonexistent", Shell: "/bin/false", UID: 110}}}
}

// Events reads a table: each line is "TIME kind key=value ...", TIME being "03:04:05" of 2 January 2024 UTC or "-", a value with
// blanks in quotes, and "@path" the file that it stands in ("/var/log/auth.log" if there is none). A line with "xN" at its
// end stands for N events, a second apart, with other process ids.
func Events(t testing.TB, table string) (out []event.Event) {
	t.Helper()
	for n, line := range strings.Split(strings.TrimSpace(table), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e := event.Event{Ref: evidence.Ref{Source: "s1", Path: "ext4:/var/log/auth.log", Line: int64(n + 1), Len: int64(len(line))}, Raw: []byte(line)}
		times := 1
		for i, w := range words(line) {
			k, v, ok := strings.Cut(w, "=")
			switch {
			case i == 0 && w != "-":
				at, err := time.Parse("15:04:05", w)
				if err != nil {
					t.Fatalf("line %d: %v", n+1, err)
				}
				e.At = evidence.At(at.AddDate(2024, 0, 1), time.Second)
			case i == 1:
				e.Kind = kind(t, w)
			case i == 0:
			case w[0] == '@':
				e.Ref.Path = "ext4:" + w[1:]
			case !ok && w[0] == 'x':
				var err error
				if times, err = strconv.Atoi(w[1:]); err != nil {
					t.Fatalf("line %d: %v", n+1, err)
				}
			default:
				e.AddText(key(t, k), v)
			}
		}
		for i := range times {
			c := e.Clone()
			c.Ref.Off = int64(n*1000 + i)
			if times > 1 {
				c.At = c.At.Add(time.Duration(i) * time.Second)
				c.AddText(event.ProcessPID, strconv.Itoa(1000+i))
				if c.Get(event.MailQueueID) != nil {
					c.Attrs = replace(c.Attrs, event.MailQueueID, fmt.Sprintf("%s%04X", c.Text(event.MailQueueID), i))
				}
			}
			out = append(out, c)
		}
	}
	return out
}

func replace(in []event.Attr, k event.Key, v string) (out []event.Attr) {
	for _, a := range in {
		if a.Key == k {
			a.Value = []byte(v)
		}
		out = append(out, a)
	}
	return out
}

// Run shows the events of a table to a detection and gives its findings.
func Run(t testing.TB, d *detect.Detection, sc detect.Scene, table string) (out []detect.Finding) {
	t.Helper()
	wants := map[event.Kind]bool{}
	for _, k := range d.Wants {
		wants[k] = true
	}
	f := d.New(sc)
	for _, e := range Events(t, table) {
		if wants[e.Kind] {
			f.Observe(&e)
		}
	}
	for x := range f.Findings(t.Context()) {
		if len(x.For) == 0 {
			t.Errorf("the finding %q rests on nothing", x.Title)
		}
		if x.Title == "" || x.Detection == "" {
			t.Errorf("a finding without a title or an id: %+v", x)
		}
		out = append(out, x)
	}
	return out
}

// Of gives the findings of one shape.
func Of(all []detect.Finding, w detect.What) (out []detect.Finding) {
	for _, f := range all {
		if f.What == w {
			out = append(out, f)
		}
	}
	return out
}

func kind(t testing.TB, name string) event.Kind {
	for k := event.Kind(0); k < 255; k++ {
		if k.String() == name && k != event.Unknown {
			return k
		}
	}
	t.Fatalf("there is no kind %q", name)
	return 0
}

func key(t testing.TB, name string) event.Key {
	for k := event.Key(1); k < 255; k++ {
		if k.String() == name {
			return k
		}
	}
	t.Fatalf("there is no attribute %q", name)
	return 0
}

// words cuts a line at blanks; quotes keep blanks together.
func words(line string) (out []string) {
	var w strings.Builder
	quoted := false
	for _, r := range line + " " {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted:
			if w.Len() > 0 {
				out = append(out, w.String())
			}
			w.Reset()
		default:
			w.WriteRune(r)
		}
	}
	return out
}
