package story

// Rule is one row of the table by which ways in are weighed, in the manner of log-odds: points above zero speak for a way in, below against it.
type Rule struct {
	ID     string
	Points float64
	Text   string // what is seen
	Why    string // why it weighs that much
}

// Rules is the whole table; docs/reasoning.md shows it.
func Rules() []Rule { return rules[:] }

var rules = [...]Rule{
	{"exact-upload", 6, "a transfer log names the very file that proves the break-in", "path, account and address stand in one line; only a forged log would say otherwise"},
	{"guessed-then-in", 5, "one address was refused again and again, then let in", "who knows a password does not need so many tries"},
	{"script-born", 5, "a script was born behind a request of its first user", "the filesystem and the web server, two witnesses, tell of the same second"},
	{"campaign", 3, "other addresses had guessed at this very account within hours", "guessing is spread over many addresses, and the one that uses the password is often another"},
	{"child-spoke", 3, "words that only a shell writes stand in the web server's error log", "no visitor can write there but through a child of the server"},
	{"lines-removed", 3, "somebody removed the lines about this address from a log", "nobody hides a stranger"},
	{"same-process", 3, "the kernel's own chain of processes leads from what runs back to this login", "it survives su, sudo and setsid"},
	{"effect", 2, "something bad happened in its sessions, by its rights", "chance alone seldom puts it there"},
	{"by-key", 2, "the login was by a key", "a key is not guessed"},
	{"client-then", 2, "one client from outside was at the database when a file of the database's account appeared", "a database makes no programs by itself"},
	{"database-did", 2, "the database itself tells what it was made to do", "a dump over a file of ssh or cron has no other use"},
	{"package-ran", 2, "it appeared while a package's scripts ran, and no package owns it", "what a package brings stands in its list"},
	{"usual-place", 2, "the address is where the account's own person comes from", "a thief seldom comes from the same desk"},
	{"site-login", 2, "the same client entered the site's own software first", "who may edit a page may make it run programs"},
	{"attack-before", 2, "the same client had sent requests that try to run commands", "attempt and effect by one client, in that order"},
	{"new-address", 1, "the account never came from this network before", "people move, too"},
	{"first-try", 1, "let in at the first try, and nobody had failed for the account", "who knows a password needs no second try"},
	{"accepted", 1, "the server let this login in by what this way needs", "every way in by a login begins so, innocent ones too"},
	{"tried", 1, "tries for this account were refused", "on a server in the open every account is tried"},
	{"stood-open", 1, "the service asks nobody who he is", "a door that stands open is not yet a way in"},
	{"more-witnesses", 1, "a further witness, which does not copy the first, tells the same", "two lines of one log are one witness; log, login record, journal, disk and another machine are each their own"},
	{"written-by", 1, "the file belongs to the account of that service", "services write their own files, too"},
	{"editable", -1, "only logs tell of it that root can edit, and root was reached", "an intruder may leave a false trail"},
	{"failures-before", -1, "tries for the account were refused before", "who knows a password seldom fails"},
	{"no-attack", -2, "no request of this client tries to run commands, though the access log was read", "an exploit is a request"},
	{"silent", -2, "the logs that would show it cover the time and show no success", "a log that was not edited tells of every login"},
	{"outside", -2, "the address lies outside the networks that people of this server come from", "an insider has his own desk"},
	{"other-owner", -3, "the file belongs to another account than that of this service", "a service writes as its own account"},
	{"guessed-first", -3, "guessing led to this login", "a known password is not guessed at first"},
	{"by-password", -4, "the login was by a password", "the server says by what it let somebody in"},
	{"by-key-instead", -4, "the login was by a key", "the server says by what it let somebody in"},
	{"no-daemon", -4, "no such service stands on the server", "what does not run cannot be entered"},
}

func points(rule string) float64 {
	for i := range rules {
		if rules[i].ID == rule {
			return rules[i].Points
		}
	}
	return 0
}

// weighs adds one point for or against a way in, once for each rule.
func weighs(ws []Weight, rule, claim string) []Weight {
	for _, w := range ws {
		if w.Rule == rule {
			return ws
		}
	}
	return append(ws, Weight{Rule: rule, Points: points(rule), Claim: claim})
}

func total(ws []Weight) (sum float64) {
	for _, w := range ws {
		sum += w.Points
	}
	return sum
}

// weigh adds a rule to what speaks for a way in.
func (w *way) weigh(rule, claim string) { w.weights = weighs(w.weights, rule, claim) }
