package webscript

import "strings"

// What a script is for that takes something from visitors shows in several of its lines: no one of them is odd.
const (
	passwords = "it sends what visitors type as their passwords to somebody"
	cards     = "it hands card numbers on to somebody"
	mailed    = "it sends card numbers by mail to somebody" // as forms of hotels do, too
)

// theft gathers what the lines of one script say. Lines are in lower case.
type theft struct {
	rules         rules
	secret, from  bool // what is sent holds a secret that was typed, and the visitor's address
	stored        bool // passwords are checked or kept here: an application's own login
	number, check int  // the lines of a card's number and of its check digits, counted from 1
	n             int
}

// near is within how many lines what is taken is sent.
const near = 10

var (
	kept    = []string{"password_hash(", "password_verify(", "mysqli", "mysql_", "->query(", "->prepare(", "wp_", "ldap_", "imap_open(", "hash_equals(", "$this->", "crypt(", "hash('", `hash("`, "md5($_post", "sha1($_post"}
	numbers = []string{"getccnumber(", "cc_number", "ccnumber", "card_number", "cardnumber"}
	checks  = []string{"getcccid(", "cc_cid", "cvv", "cvc", "card_verification"}
)

// line judges a line by those before it.
func (t *theft) line(s, p string) (what string, rank int) {
	t.n++
	if strings.HasSuffix(p, ".htaccess") {
		return t.rules.line(s, p)
	}
	if any(s, numbers) {
		t.number = t.n
	}
	if any(s, checks) {
		t.check = t.n
	}
	if t.number > 0 && t.check > 0 && t.n-min(t.number, t.check) <= near {
		if handsOn(s) {
			return cards, 6
		}
		if t.secret = t.secret || words(s) || strings.Contains(s, "getccnumber("); t.secret && mailsOn(s) {
			return mailed, 4
		}
	}
	t.stored = t.stored || any(s, kept)
	t.secret = t.secret || words(s)
	t.from = t.from || strings.Contains(s, "remote_addr")
	if t.secret && t.from && !t.stored && (sends(s) || strings.Contains(s, "api.telegram.org/bot")) {
		return passwords, 5
	}
	return "", 0
}

// handsOn tells a line that keeps as a picture, or sends, and waits for no answer as a gateway gives one, or asks without a cipher.
func handsOn(s string) bool {
	for at, from := range calls(s, []string{"file_get_contents("}) {
		arg := strings.TrimLeft(s[from:], `'" `)
		before := strings.TrimRight(s[:at], " @")
		if strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://") && (before == "" || strings.ContainsRune(";{})", rune(before[len(before)-1]))) {
			return true
		}
	}
	for _, from := range calls(s, []string{"file_put_contents("}) {
		if to, _, _ := strings.Cut(s[from:], ","); picture(to) {
			return true
		}
	}
	return false
}

// mailsOn tells a mail to somebody who is written down, and more than that the gateway is down.
func mailsOn(s string) bool {
	for _, from := range calls(s, []string{"mail("}) {
		if s[from:] != "" && (s[from] == '\'' || s[from] == '"') && strings.IndexByte(s[from:], '$') >= 0 {
			return true
		}
	}
	return false
}

// sends tells a mail to anybody but the visitor himself, whom a site writes what he chose.
func sends(s string) bool {
	for _, from := range calls(s, []string{"mail("}) {
		if !strings.HasPrefix(strings.TrimLeft(s[from:], " "), "$_post[") {
			return true
		}
	}
	return false
}

// words tells that a secret that was typed is put into a text: what is compared or hashed stands beside no words.
func words(s string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], "$_post[")
		if i < 0 {
			return false
		}
		i += from
		from = i + len("$_post[")
		name, after, ok := strings.Cut(s[from:], "]")
		if !ok || !secret(strings.Trim(name, "'\" ")) {
			continue
		}
		before, joined := strings.CutSuffix(strings.TrimRight(s[:i], " "), ".")
		before = strings.TrimRight(before, " ")
		if joined && (strings.HasSuffix(before, "'") || strings.HasSuffix(before, `"`)) {
			return true
		}
		after, joined = strings.CutPrefix(strings.TrimLeft(after, " )"), ".")
		if after = strings.TrimLeft(after, " "); joined && (strings.HasPrefix(after, "'") || strings.HasPrefix(after, `"`)) {
			return true
		}
	}
}

// secret tells the name of a field for a secret. Words such as "passport", "businessname" and "footprint", and what forms for addresses call a PIN, are none.
func secret(name string) bool {
	for _, w := range strings.FieldsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch w {
		case "pass", "pwd", "psw", "otp", "cvv", "ssn", "atmpin", "cardnumber", "ccnum":
			return true
		}
		if strings.Contains(w, "passw") || strings.Contains(w, "passcode") || strings.HasSuffix(w, "pwd") || strings.HasSuffix(w, "userpass") || strings.HasSuffix(w, "mailpass") || strings.HasSuffix(w, "loginpass") {
			return true
		}
	}
	return strings.Contains(name, "card_number") || strings.Contains(name, "cc_number") || strings.Contains(name, "cc_cid")
}

// picture tells that a line names a file as a picture.
func picture(s string) bool {
	for _, e := range []string{".jpg", ".jpeg", ".gif", ".png", ".ico"} {
		if strings.Contains(s, e) {
			return true
		}
	}
	return false
}
