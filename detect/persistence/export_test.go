package persistence

import "telltale/detect"

// JudgeForTest judges one hook by each mechanism's rules, beside those of the one named.
func JudgeForTest(mechanism, setting, runs, path, on string) {
	judge(&hook{mechanism, setting, runs, path, on, false})
	for _, m := range detect.Mechanisms() {
		judge(&hook{m.ID, setting, runs, path, on, false})
	}
	var f fold
	for _, cmd := range []string{runs, "alias sudo=" + runs, setting + "=" + runs} {
		r := detect.Finding{Runs: cmd, Path: path}
		f.startup(&r)
		f.afar(&r)
	}
}
