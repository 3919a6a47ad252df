package tamper_test

import (
	"testing"

	"telltale/detect/detecttest"
	"telltale/detect/tamper"
)

// TestAContainersLogIsNoWitnessOfTheHosts has a container whose sshd logs before the host's oldest file begins, which the journal still tells of.
func TestAContainersLogIsNoWitnessOfTheHosts(t *testing.T) {
	const (
		host      = "05:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2\n06:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2\n"
		journal   = "02:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 transport=journal @/j\n04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x9\n06:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 transport=journal @/j\n"
		inside    = "02:00:00 auth-accepted service.name=sshd user.name=root source.ip=198.51.100.9 container.id=89a04170593a @/var/lib/docker/containers/89a04170593a/89a04170593a-json.log\n04:00:02 auth-accepted service.name=sshd user.name=root source.ip=198.51.100.9 container.id=89a04170593a @/var/lib/docker/containers/89a04170593a/89a04170593a-json.log\n"
		rewritten = "02:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2\n04:00:02 sudo-command user.name=amy process.command_line=/bin/ls\n"
	)
	for more, want := range map[string]int{inside: 0, rewritten: 1} {
		n := 0
		for _, r := range detecttest.Run(t, tamper.New(), detecttest.Scene(), host+journal+more) {
			if r.Source == "203.0.113.6" {
				n++
			}
		}
		if n != want {
			t.Errorf("%d accusations, want %d, with\n%s", n, want, more)
		}
	}
}
