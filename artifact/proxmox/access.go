package proxmox

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// Access gives the artefact of the log of requests, which alone names the address of who was let in: the journal's word of it does not.
func Access() *artifact.Artifact {
	return &artifact.Artifact{Name: "proxmox-access", Doc: "who was let in to Proxmox VE, Mail Gateway and Backup Server, and from where", Spec: "pve-http-server PVE/APIServer/AnyEvent.pm (log_request)",
		// The star keeps a file that lies alone under the commonest of all names from being held for this log.
		Files: []string{"/var/log/{pveproxy,pmgproxy}/access*log", "/var/log/proxmox-backup/api/access*log"}, Log: true, Sniff: artifact.MostLines(proxied), Parse: letIn,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.SessionOpened}}
}

// proxied tells a line of such a log by what is asked for.
func proxied(line []byte) bool { return bytes.Contains(line, []byte(` /api2/`)) }

// maxTickets bounds the addresses that are waited for, and the pairs of address and account that were told.
const maxTickets = 10_000

var ticket = []byte(`"POST /api2/json/access/ticket `)

// letIn tells of the first request of an account behind a ticket that its address was given: the request for the ticket itself names no account.
func letIn(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		given := map[string]bool{}
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			from, rest, ok := said.Cut(t, " - ")
			ip := said.Address(from)
			user, rest, named := said.Cut(rest, " [")
			at, n := logclock.CLF(rest)
			if !ok || !named || ip == nil || n == 0 {
				continue
			}
			in.Seen.Record(at)
			_, request, _ := said.Cut(rest, "] ")
			switch {
			case bytes.HasPrefix(request, ticket) && bytes.Contains(request, []byte(`" 401 `)):
				e := event.Event{Kind: event.AuthFailed, At: at, Ref: ref, Raw: t}
				e.Add(event.ServiceName, []byte("pveproxy"))
				e.Add(event.SourceIP, ip)
				e.Add(event.AuthMethod, password)
				if !yield(e, nil) {
					return
				}
			case bytes.HasPrefix(request, ticket):
				if bytes.Contains(request, []byte(`" 200 `)) && len(given) < maxTickets {
					given[string(ip)] = true
				}
			case given[string(ip)] && len(user) > 1 && bytes.IndexByte(user, '@') > 0:
				delete(given, string(ip))
				for _, k := range [...]event.Kind{event.AuthAccepted, event.SessionOpened} {
					e := event.Event{Kind: k, At: at, Ref: ref, Raw: t}
					e.Add(event.ServiceName, []byte("pveproxy"))
					e.Add(event.UserName, user)
					e.Add(event.SourceIP, ip)
					e.Add(event.AuthMethod, password)
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}
