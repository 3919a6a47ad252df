package story

// closes is what closes a way in, and why.
type closes struct{ step, why string }

// closingByService says it for ways in that one kind of service closes otherwise than the rest.
var closingByService = map[string]closes{
	"open-share rsyncd":   {"Set \"read only = yes\" on every module in rsyncd.conf that need not be written to, ask for a password on the others (auth users, hosts allow), and close port 873 to the outside.", "Anybody could write there."},
	"ftp-password rsyncd": {"Give the accounts of rsyncd.conf new passwords, let in only the machines that send (hosts allow), or send by ssh with keys.", "The password of a module is known, and its transfers go over the line in clear."},
}

// closingOf gives what closes a way in, where that is not what is said of its vector.
func closingOf(e *Entry) (closes, bool) {
	c, ok := closingByService[e.Vector+" "+e.Service]
	return c, ok
}
