// Package marks tells, by its words, what a script or program is made for that hardly any innocent one does: giving a shell to the
// network, taking orders from a chat server, mining for a pool, trying passwords on other machines. A mark needs several words
// that belong together; none is told from a name. What is packed or encrypted bears none.
package marks

import (
	"bytes"
	"slices"
)

// Read is how much of a file is looked at, in bytes.
const Read = 512 << 10

// The marks.
const (
	Shell    = "reverse-shell"
	Bot      = "chat-bot"
	Miner    = "miner"
	Scanner  = "password-scanner"
	Hider    = "preload-rootkit"
	Ransom   = "ransom-note"
	Machines = "machine-encrypter"
	Thief    = "token-thief"
)

// Words says in a sentence what a mark means: "is a program that ...".
var Words = map[string]string{
	Shell:    "gives a shell to the network",
	Bot:      "takes orders from a chat server",
	Miner:    "mines for a pool",
	Scanner:  "tries passwords on other machines",
	Ransom:   "asks for ransom",
	Hider:    "hides files and connections from programs that it is loaded into",
	Sender:   "hands all variables of its environment to another machine",
	Bomb:     "destroys what the server holds when a certain day has come",
	Loader:   "fetches a program from a machine without a name and runs it",
	Thief:    "collects the tokens of those who develop and takes them away",
	Machines: "stops virtual machines and encrypts their disks",
}

// mark is one combination: each group needs one of its words.
type mark struct {
	name   string
	groups [][]string
}

var marks = []mark{
	{Shell, [][]string{{"socket(", "Socket", "fsockopen("}, {`open(STDIN,">&`, `open(STDIN, ">&`, "open STDIN,'<&", "os.dup2(", "proc_open($shell", "proc_open('/bin/sh", `proc_open("/bin/sh`}, {"/bin/sh", "/bin/bash", "cmd.exe"}}},
	{Shell, [][]string{{"bash -i", "sh -i"}, {"/dev/tcp/", "/dev/udp/"}}},
	{Shell, [][]string{{"pty.spawn("}, {"socket.socket(", "socket("}, {"dup2("}}},
	{Bot, [][]string{{"PRIVMSG"}, {"JOIN "}, {"NICK "}, {"system(", "exec(", "shell(", "popen(", "`$"}}},
	{Bot, [][]string{{"PRIVMSG %s", "NOTICE %s"}, {"NICK %s"}, {"/bin/sh", "killall", "UDP flood", "TSUNAMI", "udpflood"}}},
	{Miner, [][]string{{"stratum+tcp://", "stratum+ssl://", "mining.submit", `"donate-level"`, "--donate-level"}, {"pool", "job", "hashrate", "cpu"}}},
	{Scanner, [][]string{{"Permission denied", "userauth", "ssh_userauth_password", "SSH-2.0-libssh", "paramiko"}, {"pass_file", "passfile", "vuln.txt", "nobash.txt", "mfu.txt", "uniq.txt", "bios.txt"}}},
	{Ransom, [][]string{{"encrypted", "ENCRYPTED"}, {"bitcoin", "Bitcoin", "BITCOIN", "BTC", "monero", "Monero", ".onion"}, {"pay", "Pay", "PAY", "Send ", "send ", "contact", "Contact", "wallet"}}},
	{Ransom, [][]string{{"ll your files have been encrypted", "ll your files have been locked", "ll your files are encrypted", "our files have been encrypted by", "our files have been locked by", "YOUR FILES HAVE BEEN ENCRYPTED", "YOUR FILES HAVE BEEN LOCKED", "YOUR FILES ARE ENCRYPTED"}}},
	{Ransom, [][]string{{"(crypted)", "verschlüsselt", "verschluesselt", "chiffrés", "chiffrées", "cifrados", "encriptados", "criptografados", "crittografati", "зашифрован"}, {"bitcoin", "Bitcoin", "BITCOIN", "BTC", "monero", "Monero", ".onion", "биткоин"}}},
	{Thief, [][]string{{"trufflehog"}, {"GITHUB_TOKEN", "NPM_TOKEN", "gh auth token", "_authToken"}, {"webhook.site", "api.github.com/user/repos", "/user/repos", "createForAuthenticatedUser"}, {"process.env"}}},
	{Machines, [][]string{{"esxcli ", "vim-cmd ", "virsh "}, {".vmdk", ".qcow2"}, {"/encrypt", "encrypt ", "encryptor"}, {"kill", "destroy", "power.off"}}},
	{Hider, [][]string{{"ld.so.preload"}, {"readdir64", "readdir"}, {"/proc/net/tcp"}, {"dlsym", "RTLD_NEXT", "libc.so.6"}}},
}

// Of gives the marks of a content, each once.
func Of(b []byte) (out []string) {
	for _, m := range marks {
		if !slices.Contains(out, m.name) && m.in(b) {
			out = append(out, m.name)
		}
	}
	if sendsEnvironment(b) {
		out = append(out, Sender)
	}
	if givesSecrets(b) && !slices.Contains(out, Thief) {
		out = append(out, Thief)
	}
	if loads(b) {
		out = append(out, Loader)
	}
	if destroysOnDate(b) {
		out = append(out, Bomb)
	}
	return out
}

func (m *mark) in(b []byte) bool {
	for _, g := range m.groups {
		if !slices.ContainsFunc(g, func(w string) bool { return bytes.Contains(b, []byte(w)) }) {
			return false
		}
	}
	return true
}
