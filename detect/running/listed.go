package running

import (
	"path"
	"strings"

	"telltale/detect"
)

// A process of which only a list tells, as ps(1) prints it: who, and by which words it calls itself. What its program is nobody says.

// listed judges the words by which a process calls itself.
func (f *fold) listed(p *process) (out []sign) {
	if p.exe != "" || p.is("kernel") || p.command == "" {
		return nil
	}
	words := strings.Fields(p.command)
	if len(words) == 1 && strings.HasPrefix(words[0], "[") && strings.HasSuffix(words[0], "]") && kernelName(words[0]) {
		switch {
		case p.user != "" && p.user != "root" && p.user != "0":
			return []sign{{id: "D43", attack: "T1036.005", level: detect.Critical, of: "name", why: "calls itself " + words[0] + ", which is the name of a thread of the kernel, and all of these are root's"}}
		case p.is("own-memory"):
			return []sign{{id: "D43", attack: "T1036.005", level: detect.Critical, of: "name", why: "calls itself " + words[0] + ", which is the name of a thread of the kernel, and has memory of its own, which none has"}}
		}
		return nil
	}
	if words[0] == "sshd:" || words[0] == "postgres:" || words[0] == "sudo" || words[0] == "ps" { // what others say, or what he who looks runs himself
		return nil
	}
	if tool := detect.AttackTool(strings.ToLower(p.command)); detect.OnlyScans(tool) {
		return []sign{{id: "D72", attack: "T1046", level: f.ofService(p, detect.Medium), of: "work", why: "is " + tool + ", which searches or attacks other machines"}}
	}
	why, level := detect.SuspiciousCommand(p.command)
	switch {
	case level < detect.High:
		return nil
	case strings.HasPrefix(why, "uses the hidden path"):
		file := programOf(words)
		if !hidden(file) { // a file that it reads or keeps there
			return nil
		}
		return []sign{{id: "D42", attack: "T1036.005", level: f.ofService(p, level), of: "place", why: "runs " + file + ", which is hidden"}}
	case strings.HasPrefix(why, "runs a program in"):
		if file := programOf(words); !oddPlace(file) {
			return nil
		}
		return []sign{{id: "D42", attack: "T1036.005", level: detect.Medium, of: "place", why: why}}
	case strings.HasPrefix(why, "fetches a file"): // as installers do while somebody looks
		level = detect.Medium
	case why == "mines for a pool":
		return []sign{{id: "D72", attack: "T1496", level: f.ofService(p, level), of: "work", why: why}}
	}
	return []sign{{id: "D35", attack: "T1059.004", level: level, of: "work", why: why}}
}

// ofService makes a sign certain where the process is of an account that serves, and at which no administrator works.
func (f *fold) ofService(p *process, level detect.Level) detect.Level {
	if serviceAccount(p.user) {
		return detect.Critical
	}
	return level
}

// programOf gives the file that a command runs: the script where an interpreter does.
func programOf(words []string) string {
	for i, w := range words {
		if i > 0 && strings.HasPrefix(w, "-") {
			continue
		}
		switch strings.TrimRight(path.Base(w), "0123456789.") {
		case "sh", "bash", "dash", "ash", "zsh", "perl", "python", "php", "ruby", "node", "nohup", "env", "setsid", "nice", "timeout":
			continue
		}
		return w
	}
	return ""
}
