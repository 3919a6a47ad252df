package persistence

import (
	"path"
	"strings"

	"telltale/detect"
)

// startup judges a line of a shell's start-up file by what it puts in the way of whoever logs in.
func (f *fold) startup(r *detect.Finding) {
	if r.Package != "" {
		return
	}
	line := strings.TrimSpace(strings.TrimPrefix(r.Runs, "export "))
	name, value, _ := strings.Cut(line, "=")
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	if cmd, ok := strings.CutPrefix(name, "alias "); ok && secret[cmd] {
		first := "-"
		for _, w := range strings.Fields(strings.TrimPrefix(value, "\\")) {
			if !strings.Contains(w, "=") {
				first = w
				break
			}
		}
		if first != "-" && path.Base(first) != cmd && !wraps[path.Base(first)] {
			r.Level, r.Detail = detect.Medium, "puts another program in the place of "+cmd+", which is asked for a password"
		}
		return
	}
	for cmd := range secret {
		if strings.HasPrefix(line, "function "+cmd+" {") || strings.HasPrefix(line, "function "+cmd+" ()") || strings.HasPrefix(line, cmd+"()") || strings.HasPrefix(line, cmd+" ()") || strings.HasPrefix(line, "function "+cmd+"()") {
			r.Level, r.Detail = detect.Medium, "puts a function in the place of "+cmd+", which is asked for a password"
			if keepsTyped(line) {
				r.Level, r.Detail = detect.Critical, "puts a function in the place of "+cmd+", which asks for the password itself and keeps or sends it"
			}
		}
	}
	switch {
	case (name == "LD_PRELOAD" || name == "LD_AUDIT") && value != "" && odd(value):
		r.Level, r.Detail = detect.High, "makes programs load "+value+" first"
	case (name == "LD_PRELOAD" || name == "LD_AUDIT") && value != "" && !usualPreload(value):
		r.Level, r.Detail = detect.Medium, "makes programs load "+value+" first"
	case name == "BASH_ENV" && value != "" && odd(value):
		r.Level, r.Detail = detect.High, "makes every script run "+value+" first"
	case name == "PATH" && oddPath(value):
		r.Level, r.Detail = detect.Medium, "makes the shell look for programs first where everybody may write"
	}
}

// keepsTyped tells a function that reads what is typed without showing it, and writes it to a file or sends it away. A wrapper that asks a keeper of passwords
// does neither.
func keepsTyped(line string) bool {
	_, rest, ok := strings.Cut(line, "read -")
	if !ok {
		return false
	}
	options, rest, _ := strings.Cut(rest, " ")
	if !strings.Contains(options, "s") {
		return false
	}
	for _, out := range []string{">>", "curl ", "wget ", "/dev/tcp/", "| nc ", "|nc "} {
		if strings.Contains(rest, out) {
			return true
		}
	}
	return false
}

// secret are programs that are asked for a password.
var secret = map[string]bool{"sudo": true, "su": true, "ssh": true, "passwd": true, "doas": true}

// wraps are programs by which administrators call others: terminals that bring their settings along, a tool in the place of its like.
var wraps = map[string]bool{"sudo": true, "doas": true, "kitty": true, "kitten": true, "wezterm": true, "env": true, "sshrc": true, "autossh": true, "mosh": true, "sudoedit": true, "command": true, "nocorrect": true, "noglob": true, "run0": true}

// oddPath tells a search path that begins with a directory where everybody may write.
func oddPath(v string) bool {
	first, _, _ := strings.Cut(v, ":")
	return detect.InVolatileDir(first+"/") || first == "." && strings.Contains(v, ":")
}

// remote are programs that let somebody in from afar, past the firewall, by their names.
var remote = map[string]bool{"anydesk": true, "teamviewerd": true, "rustdesk": true, "ngrok": true, "chisel": true, "frpc": true, "frps": true, "gs-netcat": true, "gsocket": true, "ligolo": true, "ligolo-agent": true, "gost": true, "wstunnel": true, "reverse_ssh": true, "pupy": true, "pupysh": true, "sliver-client": true, "merlinAgent": true, "bore": true, "localxpose": true, "loclx": true, "pagekite": true, "zrok": true, "revsocks": true, "ligolo-ng": true, "sliver": true, "nps": true, "npc": true, "meshagent": true, "dwagent": true, "dwagsvc": true,
	"screenconnect": true, "atera": true, "splashtop": true, "cloudflared": true, "tailscaled": true, "zerotier-one": true, "nebula": true, "iox": true, "rathole": true, "playit": true, "tmate": true, "ttyd": true, "gotty": true, "shellinaboxd": true, "tacticalagent": true}

// afar tells a unit that runs a program for access from afar. Administrators use most of them, too; one that no package owns is worth a look, and
// gsocket's is a tool of intruders.
func (f *fold) afar(r *detect.Finding) {
	first, _, _ := strings.Cut(r.Runs, " ")
	name := path.Base(strings.Trim(first, `"'`))
	if line := sellsLine(name, r.Runs); line != "" && r.Package == "" {
		r.Mechanism, r.Attack = "remote-access", []string{"T1496"}
		r.Level, r.Detail = detect.Medium, "runs "+line+", which sells the server's line to others, whose doings are then this server's"
		return
	}
	if !remote[name] {
		return
	}
	r.Mechanism, r.Attack = "remote-access", []string{"T1219"}
	switch {
	case name == "gs-netcat" || name == "gsocket" || name == "revsocks" || name == "sliver" || name == "pupy" || name == "pupysh" || name == "merlinAgent" || name == "reverse_ssh":
		r.Level, r.Detail = detect.High, "runs "+name+", which gives a shell to somebody afar"
	case r.Package == "":
		r.Level, r.Detail = detect.Medium, "runs "+name+", by which somebody afar gets in past the firewall"
	}
}

// sellers are programs that sell a machine's line, by parts of their names and of their containers' images. Owners run them, too, seldom on servers.
var sellers = []string{"peer2profit", "traffmonetizer", "honeygain", "pawns-cli", "iproyal", "packetstream", "psclient", "earnapp", "earnfm", "repocket", "bitping", "proxyrack", "proxylite"}

// sellsLine gives the program of that kind that a command runs: itself, or as a container's image.
func sellsLine(name, command string) string {
	low := strings.ToLower(command)
	container := name == "docker" || name == "podman"
	for _, s := range sellers {
		if strings.HasPrefix(strings.ToLower(name), s) || container && strings.Contains(low, s) {
			return s
		}
	}
	return ""
}

// allOf tells a rule of sudo for any command.
func allOf(rule string) bool { return strings.HasSuffix(strings.TrimSpace(rule), "ALL") }
