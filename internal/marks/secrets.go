package marks

import "bytes"

var allSecrets = []byte("toJSON(secrets)")

// givesSecrets tells a workflow of a forge that puts all secrets of a project into a variable, and hands that variable to another machine. An action that is given all
// of them, and a message to a chat beside it, are neither.
func givesSecrets(b []byte) bool {
	if !bytes.Contains(b, allSecrets) {
		return false
	}
	for line := range bytes.Lines(b) {
		name, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		if !ok || len(name) == 0 || len(name) > 100 || !bytes.Contains(value, allSecrets) {
			continue
		}
		name = bytes.TrimLeft(name, "- ")
		for sent := range bytes.Lines(b) {
			if (bytes.Contains(sent, []byte("$"+string(name))) || bytes.Contains(sent, []byte("${"+string(name)))) && anyOf(sent, fetchers) && foreign(sent) {
				return true
			}
		}
	}
	return false
}
