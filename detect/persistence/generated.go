package persistence

import (
	"strings"

	"telltale/event"
)

// generated tells a unit that systemd makes of a script of /etc/init.d, anew at each boot and reload: its time is the reload's, and the script is judged itself.
func generated(e *event.Event) bool {
	return e.Kind == event.ServiceUnit && strings.HasPrefix(e.Text(event.FilePath), "/run/systemd/generator") && strings.HasPrefix(e.Text(event.CommandLine), "/etc/init.d/") && !strings.ContainsAny(e.Text(event.CommandLine), ";&|<>`$\n")
}
