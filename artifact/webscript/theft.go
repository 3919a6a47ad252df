package webscript

import "strings"

// What a script is for that takes something from visitors shows in several of its lines: no one of them is odd.
const (
	passwords = "it sends what visitors type as their passwords to somebody"
	cards     = "it hands card numbers on to somebody"
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
	secrets   = []string{"pass", "pwd", "pin'", `pin"`, "cvv", "otp", "ssn", "cardnumber", "card_number", "ccnum"}
	kept      = []string{"password_hash(", "password_verify(", "mysqli", "mysql_", "->query(", "->prepare(", "wp_", "ldap_", "imap_open(", "hash_equals(", "$this->"}
	numbers   = []string{"getccnumber(", "cc_number", "ccnumber", "card_number", "cardnumber"}
	checks    = []string{"getcccid(", "cc_cid", "cvv", "cvc", "card_verification"}
	elsewhere = []string{"file_get_contents('http", `file_get_contents("http`, "mail('", `mail("`}
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
	if t.number > 0 && t.check > 0 && t.n-min(t.number, t.check) <= near && (any(s, elsewhere) || strings.Contains(s, "file_put_contents(") && picture(s)) {
		return cards, 6
	}
	t.stored = t.stored || any(s, kept)
	if _, posted, ok := strings.Cut(s, "$_post["); ok && strings.Contains(s, ".") {
		name, _, _ := strings.Cut(posted, "]")
		t.secret = t.secret || any(name, secrets)
	}
	t.from = t.from || strings.Contains(s, "remote_addr")
	if t.secret && t.from && !t.stored && (strings.Contains(s, "mail(") || strings.Contains(s, "api.telegram.org/bot")) {
		return passwords, 5
	}
	return "", 0
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
