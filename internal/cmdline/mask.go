package cmdline

import (
	"strings"

	"telltale/evidence"
)

// masked stands for a password.
const masked = "***"

// Mask gives a line as it is, with the passwords masked that are given on it: values of options and variables that are named so, of the short options of
// clients that take one, and of URLs. A password that stands alone as a word of its own kind cannot be known for one.
func Mask(line string) string {
	ws := strings.Split(line, " ")
	program, next := "", false
	for i := 0; i < len(ws); i++ {
		w := ws[i]
		switch {
		case w == "":
		case next:
			next = false
			i = hide(ws, i, 0)
		case strings.Contains(w, "://") && userinfo(w) > 0:
			from := userinfo(w)
			ws[i] = w[:from] + masked + w[strings.LastIndexByte(w, '@'):]
		case secretName(w) > 0:
			i = hide(ws, i, secretName(w))
		case strings.EqualFold(w, "bearer") || strings.EqualFold(w, "basic"):
			next = i > 0 && strings.Contains(strings.ToLower(ws[i-1]), "authorization")
		case strings.ContainsAny(w[:1], "-"):
			var from int
			from, next = option(program, w)
			if from > 0 {
				i = hide(ws, i, from)
			}
		default:
			if w = strings.Trim(w, `"'();|&`); clients[w[strings.LastIndexByte(w, '/')+1:]] != 0 {
				program = w[strings.LastIndexByte(w, '/')+1:]
			}
		}
	}
	return strings.Join(ws, " ")
}

// Quote gives a quotation of a record as it is, or, where its command holds a password, of the command with the password masked.
func Quote(q evidence.Quote, command string) evidence.Quote {
	if m := Mask(command); m != command {
		return evidence.NewQuote(q.Ref, []byte(m))
	}
	return q
}

// clients are programs whose short options carry a password: 'p' hangs on -p, 'n' is the word behind -p, 'u' is the word behind -u or -U, with the account before it.
var clients = map[string]byte{"mysql": 'p', "mariadb": 'p', "mysqldump": 'p', "mariadb-dump": 'p', "mysqladmin": 'p', "mysqlimport": 'p', "sshpass": 'n', "mongo": 'n', "mongosh": 'n', "mongodump": 'n', "hydra": 'n', "7z": 'p', "useradd": 'n', "usermod": 'n',
	"curl": 'u', "lftp": 'u', "smbclient": 'u', "redis-cli": 'a', "rpcclient": 'u', "ldapsearch": 'w'}

// option tells where a short option's password begins within its word, or that it is the next word.
func option(program, w string) (from int, next bool) {
	switch kind := clients[program]; {
	case kind == 'p' && strings.HasPrefix(w, "-p") && len(w) > 2, kind == 'n' && strings.HasPrefix(w, "-p") && len(w) > 2, kind == 'a' && strings.HasPrefix(w, "-a") && len(w) > 2, kind == 'u' && (strings.HasPrefix(w, "-u") || strings.HasPrefix(w, "-U")) && len(w) > 2, kind == 'w' && strings.HasPrefix(w, "-w") && len(w) > 2:
		return 2, false
	case kind == 'n' && w == "-p", kind == 'a' && w == "-a", kind == 'w' && w == "-w", kind == 'u' && (w == "-u" || w == "-U" || w == "--user" || w == "--proxy-user"):
		return 0, true
	}
	switch w {
	case "--password", "--pass", "--passwd", "--http-password", "--ftp-password", "--token", "--secret", "--passphrase", "-passin", "-passout":
		return 0, true
	}
	return 0, false
}

// secretName tells where the value begins of NAME=value, --name=value and "Name: value" whose name says that it is a secret; 0 for others.
func secretName(w string) int {
	i := strings.IndexByte(w, '=')
	if i < 0 {
		return 0
	}
	name := strings.ToLower(w[:i])
	for _, s := range []string{"pass", "pwd", "secret", "token", "apikey", "api_key"} {
		if strings.Contains(name, s) && i+1 < len(w) {
			return i + 1
		}
	}
	return 0
}

// userinfo tells where the password of "scheme://user:password@host" begins, 0 for none.
func userinfo(w string) int {
	start := strings.Index(w, "://") + 3
	at := strings.LastIndexByte(w, '@')
	if at < start {
		return 0
	}
	if c := strings.IndexByte(w[start:at], ':'); c >= 0 {
		return start + c + 1
	}
	return 0
}

// hide masks a word from a place on, and those behind it as far as its quotes reach; it gives the last of them.
func hide(ws []string, i, from int) int {
	w := ws[i]
	v := w[from:]
	ws[i] = w[:from] + masked
	if v == "" || v[0] != '\'' && v[0] != '"' || len(v) > 1 && v[len(v)-1] == v[0] {
		return i
	}
	for j := i + 1; j < len(ws); j++ {
		end := strings.IndexByte(ws[j], v[0])
		if end < 0 {
			ws[j] = masked
			continue
		}
		ws[j] = masked + ws[j][end+1:]
		return j
	}
	return len(ws)
}
