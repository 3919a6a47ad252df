package detect

import "strings"

// attackTools search or attack other machines. Those that administrators use on their own networks (nmap, nikto) are none.
var attackTools = map[string]bool{"masscan": true, "zmap": true, "pscan2": true, "pscan": true, "hydra": true, "medusa": true, "ncrack": true, "patator": true, "crowbar": true, "sshscan": true, "pnscan": true, "msfconsole": true, "haiduc": true, "udp.pl": true, "stealth": true, "unixcod": true, "ssh-scan": true, "brutessh": true, "go.sh": true, "zgrab": true, "rustscan": true}

// namesakes are tools whose names servers bear, too: what those are told to do stands first, as in "hydra serve all", and not an option.
var namesakes = map[string]bool{"hydra": true, "medusa": true, "crowbar": true}

// OnlyScans tells the tools that do nothing but search other machines, and whose names nothing else bears.
func OnlyScans(tool string) bool {
	switch tool {
	case "masscan", "zmap", "pscan2", "pnscan", "zgrab", "haiduc", "sshscan", "ssh-scan", "brutessh":
		return true
	}
	return false
}

// AttackTool gives the tool that a command line in lower case runs, "" for none. To install or read about one is not to run it.
func AttackTool(low string) string {
	for _, part := range strings.FieldsFunc(low, func(r rune) bool { return r == ';' || r == '|' || r == '&' }) {
		w := strings.Fields(part)
		for len(w) > 0 && (w[0] == "sudo" || w[0] == "nohup" || w[0] == "screen" || w[0] == "time" || strings.HasPrefix(w[0], "-")) {
			w = w[1:]
		}
		if len(w) > 1 {
			if name := w[0][strings.LastIndexByte(w[0], '/')+1:]; attackTools[name] && !(namesakes[name] && !strings.HasPrefix(w[1], "-")) {
				return name
			}
		}
	}
	return ""
}
