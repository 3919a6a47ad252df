package story

import (
	"strings"

	"telltale/detect"
)

// bound tells whether whoever logs in as an account with a key can type nothing: each of its keys is bound to one command, as those of forges and of targets of backups
// are. A command that is a shell, or that runs what was asked for, binds nobody.
func (b *builder) bound(l *detect.Finding) bool {
	if l.Method != "publickey" {
		return false
	}
	found := false
	for _, k := range b.by[detect.Persistence] {
		if k.Mechanism != "ssh-key" || k.As != l.Account {
			continue
		}
		_, command, ok := strings.Cut(k.Runs, `command="`)
		command, _, closed := strings.Cut(command, `"`)
		w := strings.Fields(command)
		if !ok || !closed || len(w) == 0 || strings.Contains(command, "SSH_ORIGINAL_COMMAND") || strings.ContainsAny(command, "$`\\") {
			return false
		}
		switch name := w[0][strings.LastIndexByte(w[0], '/')+1:]; name {
		case "sh", "bash", "dash", "zsh", "ksh", "ash", "csh", "tcsh", "fish", "busybox", "env", "exec", "sudo", "su", "screen", "tmux", "login", "script", "python", "python3", "perl":
			return false
		}
		found = true
	}
	return found
}
