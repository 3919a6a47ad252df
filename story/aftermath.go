package story

// Exposure is something worth protecting that whoever broke in could read: with root everything, else what the account that he had in hand may read.
type Exposure struct {
	Kind   string   `json:"kind"` // password-hashes, private-key, certificate-key, token, service-password, data
	What   string   `json:"what"` // in words: "the password of WordPress's database"
	Path   string   `json:"path"`
	As     string   `json:"as"`     // the account that could read it
	Status Status   `json:"status"` // confirmed: it was seen to be read or taken; likely: it could be read; possible: its folder could
	Taken  bool     `json:"taken"`  // it was seen to leave
	Do     string   `json:"do"`     // what replaces it
	Claims []string `json:"claims"`
}

// Contact is another machine that was reached from this one by the intruder, or that he could reach with what lay here.
type Contact struct {
	Host    string   `json:"host"` // name or address
	How     string   `json:"how"`  // ssh, scan, download, upload, mail, connection, known-host
	Account string   `json:"account"`
	Status  Status   `json:"status"`
	First   string   `json:"first"`
	Last    string   `json:"last"`
	Claims  []string `json:"claims"`
}

// Patch is a piece of software with a fault that is known and mended elsewhere.
type Patch struct {
	Software   string   `json:"software"` // package or product
	Version    string   `json:"version"`
	Fixed      string   `json:"fixed"` // the version that mends it, "" if not known
	Path       string   `json:"path"`
	CVE        []string `json:"cve"`
	Advisories []string `json:"advisories"`
	Exploited  bool     `json:"known_exploited"` // elsewhere, as a list of exploited faults says
	Status     string   `json:"status"`          // exposed: the version has the fault; exploited: the marks of its use were seen here
	Service    string   `json:"service"`
	What       string   `json:"what"` // what the fault lets one do
	Claims     []string `json:"claims"`
}

// Complaint is what somebody outside complained of, and who on this server did it.
type Complaint struct {
	Asked   string   `json:"asked"`
	Status  Status   `json:"status"`
	Answer  string   `json:"answer"` // in words
	Process string   `json:"process"`
	Account string   `json:"account"` // as which it ran or sent
	Script  string   `json:"script"`
	QueueID []string `json:"queue_ids"`
	Sources []string `json:"sources"` // from where that account or script was used
	Entry   string   `json:"entry"`   // the way in that it hangs on: a vector of the list of entries, "" for none
	Missing []string `json:"missing"` // sources that would answer what is left open
	Claims  []string `json:"claims"`
}

// Weight is one point for or against a way in.
type Weight struct {
	Rule   string  `json:"rule"` // of docs/reasoning.md
	Points float64 `json:"points"`
	Claim  string  `json:"claim"`
}

// Network is what an offline database says of an address, and of which day it is.
type Network struct{ Prefix, ASN, Holder, Country, AsOf string }
