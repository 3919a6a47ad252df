package persistence

import (
	"strconv"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// jobScript is the mechanism of scripts that lie anywhere and are run by what names them.
const jobScript = "job-script"

// scriptFile is a script that a job of root's may run: what is odd in it, and who may change it.
type scriptFile struct {
	finding detect.Finding
	line    string
	why     string
	level   detect.Level // of the line
	uid     string
	open    bool // everybody may write it
}

// observeScript takes notice of a script or of one of its lines. Whether anything runs it is known only at the end.
func (h *hookups) observeScript(f *fold, e *event.Event) {
	p := e.Text(event.FilePath)
	s := h.files[p]
	if s == nil {
		if len(h.files) >= maxItems || len(e.Get(event.FilePackage)) > 0 {
			return
		}
		m := h.known[jobScript]
		s = &scriptFile{uid: e.Text(event.FileUID), finding: detect.Finding{Detection: m.Row, What: detect.Persistence, Rung: evidence.Effect, Mechanism: jobScript, Attack: []string{m.Attack}, Count: 1, Path: p, As: "root", For: []evidence.Quote{e.Quote()}}}
		mode, err := strconv.ParseUint(e.Text(event.FileMode), 8, 16)
		s.open = err == nil && mode&0o002 != 0
		f.when(&s.finding, e)
		h.files[p] = s
	}
	line := e.Text(event.ProcessScript)
	if line == "" {
		return
	}
	if why, l := detect.SuspiciousCommand(line); l > s.level {
		s.line, s.why, s.level = line, why, l
		s.finding.For = append(s.finding.For[:1:1], e.Quote())
	}
}

// scriptsOf gives the scripts that jobs of root's run and that another account may write, or that do what few jobs do. Administrators keep root's scripts in their homes
// and fetch with them, so only what no job does is graver than a remark; what changed in an intruder's session is told whatever its level.
func (h *hookups) scriptsOf(f *fold, yield func(detect.Finding) bool) bool {
	done := map[string]bool{}
	for i := range f.items {
		job := &f.items[i]
		if job.As != "root" || job.Mechanism != "cron" && job.Mechanism != "at-job" && job.Mechanism != "systemd-unit" && job.Mechanism != "systemd-timer" {
			continue
		}
		for _, w := range strings.FieldsFunc(job.Runs, func(r rune) bool { return strings.ContainsRune(" \t;&|()\"'`<>", r) }) {
			s := h.files[w]
			if s == nil || done[w] {
				continue
			}
			done[w] = true
			if r, odd := s.judge(f, job); odd && !yield(r) {
				return false
			}
		}
	}
	return true
}

// judge makes the finding of a script that a job runs as root.
func (s *scriptFile) judge(f *fold, job *detect.Finding) (detect.Finding, bool) {
	r := s.finding
	r.Runs, r.Detail = r.Path, "is run as root by "+job.Path
	other := s.uid != "" && s.uid != "0" && (f.scene.ChangeTimes || f.scene.UserByUID(s.uid) != "") // else the number may be that of who copied the tree
	switch {
	case s.open:
		r.Level, r.Detail = detect.Low, "may be changed by everybody, and "+r.Detail
	case other:
		r.Account = f.scene.UserByUID(s.uid)
		if r.Account == "" {
			r.Account = "uid " + s.uid
		}
		r.Level, r.Detail = detect.Low, "belongs to "+r.Account+", and "+r.Detail
	default:
		r.Account = "root"
	}
	if s.level > detect.Info {
		r.Runs, r.Detail, r.Level = s.line, s.why+" ("+r.Detail+")", max(r.Level, min(s.level, detect.Medium))
		if s.level == detect.Critical {
			r.Level = detect.Critical
		}
	}
	r.For = append(r.For[:len(r.For):len(r.For)], job.For...)
	r.Title = "root's job in " + job.Path + " runs the script " + r.Path
	return r, r.Level > detect.Info
}
