// Package database judges what databases were made to do that no application asks of them: to write files where ssh, cron
// or the web server read, to run programs, to load libraries.
package database

import (
	"context"
	"iter"
	"path"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "database", Title: "Databases used as a way in", IDs: []string{"D32", "D76"},
		Doc:    "judges files that databases wrote, programs that they ran and libraries that they loaded, data that a demand replaced, and servers that ask nobody who he is",
		Attack: []string{"T1190", "T1505.001", "T1485"},
		Wants:  []event.Kind{event.DatabaseCommand, event.ServerSetting, event.ConnectionSeen, event.AuthAccepted},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, by: map[string]*detect.Finding{}, losses: map[string]*loss{}}
		},
	}
}

const maxFindings = 5000

type fold struct {
	scene detect.Scene
	by    map[string]*detect.Finding
	order []*detect.Finding

	losses  map[string]*loss // by service and client
	servers []*server
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.ConnectionSeen, event.AuthAccepted:
		f.came(e)
		return
	case event.ServerSetting:
		f.set(e)
		return
	}
	f.said(e)
	f.lost(e)
	service, message, p := e.Text(event.ServiceName), e.Text(event.Message), e.Text(event.FilePath)
	why, level, rung := f.judge(service, strings.ToLower(message), p)
	if level == detect.Info {
		return
	}
	if !e.At.Known() { // a file's own word
		e.At = detect.ParseTime(e.Text(event.FileMtime))
	}
	source := e.Text(event.SourceIP)
	k := service + "\x00" + message + "\x00" + source + "\x00" + p
	r := f.by[k]
	if r == nil {
		if len(f.by) >= maxFindings {
			return
		}
		r = &detect.Finding{Detection: "D32", What: detect.DatabaseDid, Level: level, Rung: rung, First: e.At, Last: e.At, Service: service, Account: e.Text(event.UserName), Source: source, Path: p, Runs: message,
			Detail: why, Title: service + " " + why, Attack: []string{"T1190"}, For: []evidence.Quote{e.Quote()}}
		f.by[k] = r
		f.order = append(f.order, r)
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
}

// judge says what a statement or message means, by the words of the server or of the statement, in lower case.
func (f *fold) judge(service, m, p string) (why string, l detect.Level, rung evidence.Rung) {
	switch {
	case strings.HasPrefix(m, "a redis dump stands where"):
		return "wrote its dump over " + p, detect.Critical, evidence.Effect
	case service == "redis" && (strings.HasPrefix(m, "failed opening") || strings.HasPrefix(m, "error moving")) && f.sensitive(p):
		return "was to write " + p + ", and could not", detect.Medium, evidence.Attempt
	case service == "redis" && strings.HasPrefix(m, "module ") && strings.Contains(m, " loaded from ") && (!strings.HasPrefix(p, "/usr/") && !strings.HasPrefix(p, "/opt/")):
		return "loaded the module " + p, detect.High, evidence.Effect
	case service == "redis" && strings.Contains(m, "of ") && strings.Contains(m, "enabled (user request"):
		return "was made the replica of another server", detect.Medium, evidence.Accepted
	case service == "mssql" && strings.HasPrefix(m, "unsafe assembly '") && ofMaker(m):
		return "loaded code of its maker", detect.Info, evidence.Accepted
	case service == "mssql" && strings.HasPrefix(m, "unsafe assembly '"):
		return "loaded code that may do all that its own account may", detect.High, evidence.Effect
	case service == "mssql" && strings.HasPrefix(m, "configuration option 'xp_cmdshell'"):
		return "was let run programs (xp_cmdshell)", detect.High, evidence.Accepted
	case service == "mssql" && strings.HasPrefix(m, "configuration option '"):
		return "was let run code of others", detect.Low, evidence.Accepted
	case strings.Contains(m, "from program ") || strings.Contains(m, "to program "):
		return "was asked to run a program", detect.High, evidence.Accepted
	case strings.Contains(m, " soname ") || strings.Contains(m, "sys_exec") || strings.Contains(m, "sys_eval") || strings.Contains(m, "language c ") && strings.Contains(m, "libc.so"):
		return "was asked to call code outside itself", detect.High, evidence.Accepted
	case p != "" && (strings.Contains(m, "outfile") || strings.Contains(m, "dumpfile") || strings.Contains(m, "general_log_file") || strings.Contains(m, "slow_query_log_file") || strings.HasPrefix(m, "copy ") && strings.Contains(m, " to '") || strings.Contains(m, "lo_export")):
		if f.sensitive(p) {
			return "was asked to write " + p, detect.High, evidence.Accepted
		}
		return "was asked to write " + p, detect.Low, evidence.Accepted
	}
	return "", detect.Info, evidence.Attempt
}

// makersKey is the end of the strong name that Microsoft signs what belongs to SQL Server with.
const makersKey = "publickeytoken=89845dcd8080cc91"

// ofMaker tells an assembly that SQL Server itself came with: its integration services and its data quality services load theirs into their own databases.
func ofMaker(m string) bool {
	name, domain, ok := strings.Cut(strings.TrimPrefix(m, "unsafe assembly '"), "' loaded into appdomain ")
	return ok && strings.HasPrefix(name, "microsoft.") && strings.Contains(name, makersKey) && (strings.Contains(domain, "(ssisdb.") || strings.Contains(domain, "(dqs_") || strings.Contains(domain, "(master.sys["))
}

// sensitive tells paths by which a written file becomes a way in.
func (f *fold) sensitive(p string) bool {
	for _, r := range f.scene.WebRoots {
		if strings.HasPrefix(p, r+"/") {
			return true
		}
	}
	switch ext := strings.ToLower(path.Ext(p)); ext {
	case ".php", ".phtml", ".jsp", ".so", ".cgi":
		return true
	}
	return strings.Contains(p, "/.ssh/") || strings.HasPrefix(p, "/etc/cron") || strings.HasPrefix(p, "/var/spool/cron") || strings.HasPrefix(p, "/root/") || strings.HasPrefix(p, "/etc/ld.so") || strings.HasPrefix(p, "/etc/profile")
}

// Findings gives what was found: statements in the order of the log, then data that is gone, then servers that stand open.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, r := range f.order {
			if ctx.Err() != nil || !yield(*r) {
				return
			}
		}
		for _, r := range append(f.destroyed(), f.exposed()...) {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}
