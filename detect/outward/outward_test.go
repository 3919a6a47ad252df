package outward_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/outward"
	"telltale/event"
)

// calls is n packets, every so many minutes, or now and then.
func calls(n, minutes int, line string) string {
	var b strings.Builder
	for i := range n {
		at := i * minutes
		if minutes < 0 {
			at = i*-minutes + i*i*7%11
		}
		fmt.Fprintf(&b, "%02d:%02d:00 firewall-packet source.ip=192.0.2.10 source.port=40000 network.direction=outbound %s\n", at/60, at%60, line)
	}
	return b.String()
}

func TestCalls(t *testing.T) {
	const to = "destination.ip=203.0.113.6 destination.port="
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"the web server's account chats", calls(2, 5, to+"6667 user.id=33"), detect.High, 1},
		{"somebody chats", calls(5, 5, to+"6697 user.id=1000"), detect.Low, 1},
		{"a pool's port, at a beat", calls(40, 10, to+"3333"), detect.Medium, 1},
		{"a pool's port, by the web server's account", calls(2, 10, to+"14444 user.id=33"), detect.Medium, 1},
		{"a beat of the web server's account", calls(40, 10, to+"31337 user.id=33"), detect.Medium, 1},
		{"a beat of nobody's", calls(40, 10, to+"31337"), detect.Low, 1},
		{"now and then", calls(40, -13, to+"31337 user.id=33"), detect.Info, 0},
		{"a clock", calls(40, 10, to+"123 user.id=33"), detect.Info, 0},
		{"updates", calls(40, 10, to+"443 user.id=33"), detect.Info, 0},
		{"monitoring", calls(40, 10, to+"10051 user.id=110"), detect.Info, 0},
		{"a database elsewhere", calls(40, 10, to+"5432 user.id=33"), detect.Info, 0},
		{"a machine of the own network", calls(40, 10, "destination.ip=10.0.0.6 destination.port=31337 user.id=33"), detect.Info, 0},
		{"for half an hour", calls(30, 1, to+"31337 user.id=33"), detect.Info, 0},
		{"answers of the web server", strings.ReplaceAll(calls(40, 10, to+"6667 user.id=33"), "source.port=40000", "source.port=443"), detect.Info, 0},
		{"visitors", strings.ReplaceAll(calls(40, 10, to+"6667"), "outbound", "inbound"), detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, outward.New(), detecttest.Scene(), tc.events)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestNothingIsAllocated(t *testing.T) {
	f := outward.New().New(detecttest.Scene())
	events := detecttest.Events(t, calls(60, 10, "destination.ip=203.0.113.6 destination.port=31337 user.id=33"))
	for i := range events {
		f.Observe(&events[i])
	}
	if n := testing.AllocsPerRun(100, func() { f.Observe(&events[len(events)-1]) }); n > 0 {
		t.Errorf("%v allocations for each packet", n)
	}
}

// TestAHabitOfTheServer has a beat that is as old as the log, and one that began later.
func TestAHabitOfTheServer(t *testing.T) {
	beat := func(port string) string { return calls(140, 10, "destination.ip=203.0.113.6 destination.port="+port) }
	f := outward.New().New(detecttest.Scene())
	for day := range int64(6) {
		for _, e := range detecttest.Events(t, beat("9243")+beat("31337")) {
			e.At.Sec += day * 24 * 3600
			if day >= 3 || e.Text(event.DestinationPort) == "9243" {
				f.Observe(&e)
			}
		}
	}
	n := 0
	for r := range f.Findings(t.Context()) {
		if n++; !strings.Contains(r.Title, "31337") || r.Level != detect.Low {
			t.Errorf("%+v", r)
		}
	}
	if n != 1 {
		t.Errorf("%d findings", n)
	}
}
