package alarms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// Lfd gives the artefact of lfd, the daemon of the ConfigServer firewall, which stands guard on most machines with cPanel.
func Lfd() *artifact.Artifact {
	return &artifact.Artifact{Name: "lfd", Doc: "whom the ConfigServer firewall blocked, and which files and processes it found odd", Spec: "ConfigServer Security & Firewall 5 to 15 lfd.pl (logfile)", Programs: []string{"lfd"}, Decode: lfd, Kinds: kinds()}
}

// lfd reads "(sshd) Failed SSH login from IP (CC/Country/name): 5 in the last 3600 secs - *Blocked in csf* [LF_SSHD]", "*Port Scan* detected from IP (..). ...", "(PERMBLOCK) IP (..) has had
// more than ..." and "*Suspicious File* /tmp/x [alice:alice (1001:1001)] - why". The address's name in brackets is its owner's: the address stands before it.
func lfd(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	switch {
	case bytes.HasPrefix(t, []byte("daemon started")):
		return state(m, event.ServiceStarted, "lfd", yield)
	case bytes.HasPrefix(t, []byte("daemon stopped")):
		return state(m, event.ServiceStopped, "lfd", yield)
	}
	if rest, ok := said.Rest(t, "Incoming IP "); ok {
		return lifted(m, rest, yield)
	}
	if rest, ok := said.Rest(t, "*Suspicious File* "); ok {
		return oddFile(m, rest, yield)
	}
	if said.BeginsAny(t, []string{"*User Processing* ", "*Suspicious Process* ", "*Excessive Processes* ", "*LOAD* "}) {
		return oddProcess(m, yield)
	}
	if said.BeginsAny(t, []string{"*System Integrity* ", "*Account Modification* ", "*Exploit* ", "*System Exploit* ", "*Directory Watching* ", "*Processes Stopped* "}) {
		return alarm{service: "lfd", message: t, change: warned}.yield(m, yield)
	}
	if len(t) > 0 && (t[0] == '(' || t[0] == '*') {
		if ip := blocked(t); ip != nil {
			change := warned
			if bytes.Contains(t, []byte("*Blocked in csf*")) {
				change = banned
			}
			return alarm{service: "lfd", ip: ip, message: t, change: change}.yield(m, yield)
		}
	}
	return said.BeginsAny(t, []string{"Blocked in csf", "csf.", "CSF", "SSH Tracking", "SU Tracking", "System Statistics", "Email Script", "Watching ", "Directory ", "Restricted log", "Retrieved ", "Temp", "Daily ", "LFD ", "Reseller", "IPSET",
		"Server Security", "Process", "Account Tracking", "Country Code", "Exploit Tracking", "Lookup", "System Integrity", "Pausing", "lfd ", "TERM", "Main Process", "Netfilter", "Unable"})
}

// oddFile reads "/tmp/x [alice:alice (1001:1001)] - why".
func oddFile(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	path, _, ok := said.CutLast(t, "] - ")
	path, owner, ok2 := said.CutLast(path, " [")
	user, _, _ := said.Cut(owner, ":")
	if !ok || !ok2 {
		return false
	}
	return alarm{service: "lfd", user: user, path: path, message: m.Text, change: found}.yield(m, yield)
}

// oddProcess reads "... User:alice ... EXE:/usr/bin/x CMD:...".
func oddProcess(m *artifact.Message, yield func(*event.Event)) bool {
	_, rest, _ := said.Cut(m.Text, " User:")
	user, rest := said.FirstWord(rest)
	_, program, _ := said.Cut(rest, "EXE:")
	program, _, _ = said.Cut(program, " CMD:")
	return alarm{service: "lfd", user: user, path: program, message: m.Text, change: warned}.yield(m, yield)
}

// blocked finds the address behind the first " from ", " by " or "(PERMBLOCK) ".
func blocked(t []byte) []byte {
	if _, rest, ok := said.Cut(t, ") "); ok && t[0] == '(' {
		word, _ := said.FirstWord(rest)
		if ip := said.Address(word); ip != nil {
			return ip
		}
	}
	for _, mark := range [...]string{" from ", " by "} {
		if _, rest, ok := said.Cut(t, mark); ok {
			word, _ := said.FirstWord(rest)
			if ip := said.Address(bytes.TrimRight(word, ".:,")); ip != nil {
				return ip
			}
		}
	}
	return nil
}

// lifted reads "Incoming IP 1.2.3.4 temporary block removed".
func lifted(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	word, rest := said.FirstWord(t)
	ip := said.Address(word)
	if ip == nil || !bytes.Contains(rest, []byte("removed")) {
		return ip != nil
	}
	return alarm{service: "lfd", ip: ip, change: unbanned}.yield(m, yield)
}
