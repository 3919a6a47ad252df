package persistence

import "telltale/detect"

// read gives what is run of an entry: of cron's lines and of shells' start-up files, comments are not.
func read(r *detect.Finding) string {
	switch r.Mechanism {
	case "cron", "cron-ran", "startup-file":
		return detect.Uncommented(r.Runs)
	}
	return r.Runs
}
