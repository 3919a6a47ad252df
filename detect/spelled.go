package detect

import (
	"encoding/base64"
	"strings"
)

// Uncommented leaves out of a command line what a shell takes for a comment: what follows a # that begins a word outside quotes. Where a
// cron line holds %, the rest goes to the command as lines of their own, and the whole is kept. It is for lines that a shell is sure to read:
// elsewhere a # is a word as any other.
func Uncommented(c string) string {
	if strings.ContainsAny(c, "%\n") {
		return c
	}
	quote := byte(0)
	for i := 0; i < len(c); i++ {
		switch x := c[i]; {
		case quote != 0:
			if x == '\\' && quote == '"' {
				i++
			} else if x == quote {
				quote = 0
			}
		case x == '\\':
			i++
		case x == '\'' || x == '"' || x == '`':
			quote = x
		case x == '#' && i > 0 && strings.IndexByte(" \t;&|()", c[i-1]) >= 0:
			return c[:i]
		}
	}
	return c
}

// maxSpelled bounds how much encoded text of a command is read.
const maxSpelled = 16 << 10 // bytes

// spelledOut gives what a command runs that decodes a text which stands in it, and nothing else: "echo ZGF0ZQ== | base64 -d | sh". What it
// gives is what the shell reads; anything beside these three steps, and what is no plain text, makes it say no.
func spelledOut(c string) (string, bool) {
	steps := strings.Split(c, "|")
	if len(steps) != 3 || len(c) > maxSpelled {
		return "", false
	}
	says, decodes, runs := strings.Fields(steps[0]), strings.Fields(steps[1]), strings.Fields(steps[2])
	if len(says) == 3 && says[1] == "-n" {
		says = append(says[:1], says[2])
	}
	if len(says) != 2 || says[0] != "echo" || len(decodes) != 2 || decodes[0] != "base64" || decodes[1] != "-d" && decodes[1] != "--decode" || len(runs) != 1 || !strings.HasSuffix(runs[0], "sh") {
		return "", false
	}
	out, err := base64.StdEncoding.DecodeString(strings.Trim(says[1], `'"`))
	if err != nil {
		return "", false
	}
	for _, b := range out {
		if b != '\n' && b != '\t' && (b < ' ' || b > '~') {
			return "", false
		}
	}
	return strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", "; "), true
}

// decodedLevel tells how grave a command is whose encoded text would not be odd if it were written down: nothing odd itself, nothing that is fetched or decoded
// once more. Low, where it names no other program than those that the command line names in any case; high, where what a program does stands elsewhere: some agents'
// jobs are written so, and whoever hides is.
func decodedLevel(c string) Level {
	text, ok := spelledOut(c)
	if !ok || text == "" || !plainWords(text) {
		return Critical
	}
	if _, l := SuspiciousCommand(text); l > Info {
		return Critical
	}
	for _, p := range programs(text) {
		if strings.Contains(p, "/") {
			return High
		}
	}
	return Low
}

func plainWords(text string) bool {
	return !any(strings.ToLower(text), "base64", "http", "curl", "wget", "/dev/", "eval", "$(", "`", "crontab", "authorized_keys", "/etc/", "ssh", "chmod", "python", "perl", "php", "openssl", "nc ", "socat")
}

// any tells whether s holds one of the words.
func any(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
