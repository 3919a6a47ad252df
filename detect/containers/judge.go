package containers

import (
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// judge weighs one container: what of the host it has, and whether what it runs makes use of it.
func (c *container) judge() (detect.Finding, bool) {
	powers := slices.Compact(slices.Sorted(slices.Values(c.powers)))
	whole := c.holdsHost()
	why, l := detect.SuspiciousCommand(strings.NewReplacer(`'`, " ", `"`, " ").Replace(c.command))
	out := leaves(c.command) || c.writesHost()
	if len(powers) == 0 && l < detect.High || strings.Contains(c.name, "_kube-system_") && l < detect.High && !out {
		return detect.Finding{}, false // Kubernetes's own need much
	}
	name := c.name
	if name == "" {
		name = c.id
	}
	r := detect.Finding{Detection: "D41", What: detect.Container, Level: detect.Low, Rung: evidence.Effect, Service: "container", First: c.made, Last: c.made, Count: 1, Path: name, Runs: c.command, When: c.entered, Attack: []string{"T1611"}, For: c.quotes,
		Title: fmt.Sprintf("the container %s (%s) has power over this host", name, c.image), Detail: strings.Join(powers, "; ") + "; administrators set up such containers, too: ask whose it is"}
	switch {
	case whole && (out || l >= detect.High):
		r.Level = detect.High
		r.Title = fmt.Sprintf("the container %s (%s) was made to work on this host, not in itself", name, c.image)
		if why == "" {
			why = "leaves the container"
		}
		r.Detail = fmt.Sprintf("its command %s; %s", why, strings.Join(powers, "; "))
		if out && l >= detect.Critical { // both at once is no administrator's way
			r.Level = detect.Critical
		}
	case l >= detect.High:
		r.Level, r.Detection, r.Attack = detect.Medium, "D79", []string{"T1610"}
		r.Title = fmt.Sprintf("the container %s (%s) was made with an odd command", name, c.image)
		r.Detail = "its command " + why
	case out:
		r.Level = detect.Medium
	}
	if c.count > 0 {
		r.Detail += fmt.Sprintf("; it was entered %s", detect.Plural(c.count, "time", "times"))
	}
	if miner(c.image) {
		r.Level = max(r.Level, detect.High)
	}
	return r, true
}

// holdsHost tells whether the host lies open to the container: its root, or what root runs, is mounted to be written, or nothing is kept from it.
func (c *container) holdsHost() bool {
	for _, p := range c.powers {
		if p == "privileged" || p == "the host's processes" {
			return true
		}
		from, ok := strings.CutPrefix(p, "mounts ")
		if !ok || strings.HasSuffix(p, ", read-only") {
			continue
		}
		from, _, _ = strings.Cut(from, " at ")
		switch {
		case from == "/" || from == "/etc" || from == "/root" || strings.HasPrefix(from, "/root/.ssh") || strings.HasPrefix(from, "/etc/cron") || strings.HasPrefix(from, "/var/spool/cron"):
			return true
		}
	}
	return false
}

// leaves tells commands that go on in the host's own tree.
func leaves(command string) bool {
	for _, simple := range strings.FieldsFunc(command, func(r rune) bool { return r == ';' || r == '|' || r == '&' || r == '\'' || r == '"' || r == '\n' }) {
		w := strings.Fields(simple)
		for i, x := range w {
			switch x[strings.LastIndexByte(x, '/')+1:] {
			case "chroot":
				if i+1 < len(w) && strings.HasPrefix(w[i+1], "/") {
					return true
				}
			case "nsenter":
				return slices.Contains(w, "1") || slices.Contains(w, "-t1") || slices.Contains(w, "--target=1")
			}
		}
	}
	return false
}
