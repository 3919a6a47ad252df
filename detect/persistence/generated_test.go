package persistence_test

import (
	"testing"

	"telltale/detect/detecttest"
	"telltale/detect/persistence"
)

// systemd makes units of the scripts in /etc/init.d at each reload, also at one in an intruder's session.
func TestGenerated(t *testing.T) {
	for event, found := range map[string]int{
		`- service-unit unit.name=exim4.service "process.command_line=/etc/init.d/exim4 start" file.path=/run/systemd/generator.late/exim4.service`:     0,
		`- service-unit unit.name=x.service "process.command_line=/etc/init.d/exim4 start; /var/tmp/x" file.path=/run/systemd/generator.late/x.service`: 1,
		`- service-unit unit.name=x.service process.command_line=/usr/local/sbin/x file.path=/run/systemd/generator.late/x.service`:                     1,
		`- service-unit unit.name=exim4.service "process.command_line=/etc/init.d/exim4 start" file.path=/etc/systemd/system/exim4.service`:             1,
	} {
		if got := detecttest.Run(t, persistence.New(), detecttest.Scene(), event); len(got) != found {
			t.Errorf("%s: %d, want %d", event, len(got), found)
		}
	}
}
