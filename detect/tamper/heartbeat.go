package tamper

import (
	"fmt"

	"telltale/detect"
	"telltale/evidence"
)

// heartbeats judges hours in which a log lacks cron's lines though another log tells that cron ran. A machine or a log daemon that started or
// stopped explains them, and so does a clock that was set. Where none of the syslog files goes on, their daemon may have been blocked: by a full
// disk, or by a log server that did not answer.
func (f *fold) heartbeats() (out []detect.Finding) {
	for _, r := range f.beats {
		r.Detection, r.What, r.Level, r.Rung = "D57", detect.LogSilent, detect.Medium, evidence.Witnessed
		r.Title = fmt.Sprintf("%s lacks the lines that cron leaves every hour, from %s to %s", r.Path, r.First, r.Last)
		why := f.explained(r.First.Sec-slack, r.Last.Sec+slack, false)
		if why == "" && r.Mechanism == "no file goes on" {
			why = "no syslog file has a line of that time: the log daemon was stopped or blocked"
		}
		if r.Mechanism = ""; why != "" {
			r.What, r.Level, r.Explained = detect.RecordsLost, detect.Info, why
			r.Detail += "; " + why
		} else {
			r.Detail += "; no start or stop of the machine or of a log daemon and no clock that was set explains it"
		}
		out = append(out, r)
	}
	return out
}

// slack is the seconds before and behind a silence in hours in which its last and first line may lie.
const slack = 3600
