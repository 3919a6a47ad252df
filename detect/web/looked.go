package web

// onlyLooks is how often a client asks for a script that it hands nothing to, while others use it: search engines and scanners come by everywhere.
const onlyLooks = 2

// looked tells a client that came by a script which others handed something. Where nobody did, its orders stand where no log shows them.
func (s *script) looked(ip string) bool {
	return len(s.acted) > 0 && !s.acted[ip] && s.clients[ip] <= onlyLooks
}

// user gives the first client, or who used the script most where that one only looked.
func (s *script) user() string {
	if s.looked(s.by) {
		return s.names()[0]
	}
	return s.by
}
