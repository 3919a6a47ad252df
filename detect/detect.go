// Package detect is the contract of the detections. A detection is a fold over the
// stream of events: it keeps what it needs, in memory that grows with distinct
// actors and not with lines, and at the end says what it found. It opens no file and
// gives no verdict: whether a finding means a compromise is for package story.
package detect

import (
	"context"
	"iter"
	"time"

	"telltale/event"
	"telltale/evidence"
)

// Level is how much a finding matters when nothing else is known.
type Level uint8

// The levels.
const (
	Info     Level = iota // an observation that others are joined with: a session, an upload
	Low                   // noise that every exposed server has
	Medium                // worth a look
	High                  // hardly ever innocent
	Critical              // never innocent
)

var levelNames = [...]string{"info", "low", "medium", "high", "critical"}

// String gives the level's name.
func (l Level) String() string {
	if int(l) >= len(levelNames) {
		l = Info
	}
	return levelNames[l]
}

// What names a finding's shape, for package story: findings of one What mean the same,
// whichever detection gave them.
type What string

// The shapes.
const (
	Login          What = "login"         // Service Account Source Method Key First Last(0: end not seen); Count: more of the same
	Guessing       What = "guessing"      // Source(s) Service Count Accounts First Last: a campaign
	GuessedIn      What = "guessed-in"    // a Login that guessing of the same account preceded
	Upload         What = "upload"        // a file that a service wrote for a client: Path Account Source
	WebScript      What = "web-script"    // a script under a web root that was asked for: Path Source(s) First Last Count
	WebUpload      What = "web-upload"    // a request that uploaded, then a new script asked for
	WebAttack      What = "web-attack"    // a request that tries to break in: Path Detail
	WebExecution   What = "web-execution" // proof that a request ran commands: Detail
	WebScan        What = "web-scan"
	WebLogin       What = "web-login"     // somebody entered the site's own software: Source Path First(entered) Count(refused before)
	BecameRoot     What = "became-root"   // Account As Detail(command): sudo, su
	Command        What = "command"       // Account Detail
	AccountMade    What = "account-made"  // Account As(by)
	AccountOdd     What = "account-odd"   // a uid 0 twin, an empty password, a service account with a shell and a password
	Persistence    What = "persistence"   // Mechanism Path Runs As Since Package
	MailRun        What = "mail-run"      // By(Account or Source) Count: mails handed in by one submitter
	LogEdited      What = "log-edited"    // Path Detail: lines were removed, proof by another witness
	LogCut         What = "log-cut"       // Path Detail: emptied or shortened
	LogSilent      What = "log-silent"    // Path First Last: silence against the log's own rhythm
	HistoryGone    What = "history-wiped" // Path Account
	Timestomped    What = "timestomped"   // Path Detail
	OddFile        What = "odd-file"      // Path Detail: setuid, hidden, executable where none belongs
	DatabaseDid    What = "database-did"  // a database wrote a file, ran a program or loaded code: Service Account Source Path Runs
	Installed      What = "installed"     // a package's files were unpacked and its scripts ran: Path(name) Detail(version) First Last
	PackageDiff    What = "package-file-changed"
	LoggingStopped What = "logging-stopped"
	Download       What = "download" // a program fetched from elsewhere
	Scanner        What = "scanner"  // this host scans others, or sends mail to many servers: Mechanism("scan", "spam") Account Detail
	PortScan       What = "port-scan"
	RuleHit        What = "rule"             // a rule of somebody's matched: Mechanism(its title) Source Account Count
	RecordsLost    What = "records-lost"     // Path Count Detail: a log's numbering has holes, or contradicts its content, in a way that has ordinary causes
	Campaign       What = "campaign"         // guessing that many addresses share: Sources Accounts Count; the tries are counted by Guessing, too
	Enumeration    What = "enumeration"      // who asks which accounts there are: Source(s) Service Count
	Exposed        What = "exposed"          // a service that gives power to anybody who reaches it: Service Detail; no rung, for nobody did anything yet
	Container      What = "container"        // a container with power over its host: Path(name) Runs Detail(powers)
	Deployed       What = "deployed"         // an application that was put on an application server while it ran: Service Path Source
	Destroyed      What = "data-destroyed"   // data is gone and a demand stands in its place: Service Source Detail
	Relayed        What = "mail-relayed"     // mail of strangers for strangers: Source(s) Count; with rung a, it was refused
	MailAccount    What = "mail-account-use" // a mail account that is used otherwise than before: Account Sources Count
	Beacon         What = "beacon"           // this host, or one behind it, calls one destination again and again, or one of a kind: Source Account Detail
	NameServer     What = "name-server"      // what the name server was asked for, or asked for in vain: Source(s) Detail Count
	OddLogin       What = "odd-login"        // a login that is unlike the account's others, told beside the Login: Account Source Detail
	Alarm          What = "alarm"            // what a security tool said, or that it was silenced: Service Source(s) Path Detail
	DataFetched    What = "data-fetched"     // a dump or backup that the web server gave away: Path Source(s) Count
	Process        What = "process"          // what ran and does not belong: Pid Path(program) Runs Account Mechanism(name) Method("deleted", "memory") Service(unit) Source(address it came from) As(account that logged in) Agent(what tells so) Sources(connections, in words) Key(SHA-256)
	HiddenThing    What = "hidden"           // one view of the machine shows it, another hides it: Mechanism(process, port, file ...) Path Detail Views Count(passes)
	Vulnerable     What = "vulnerable"       // software with a known fault: Package(name) Detail(version) Path Service Sources(CVE) Accounts(advisories) Method(fixed version) Mechanism("known-exploited" or "") Runs(what it lets one do) As("remote", "user", "victim", "local" or "": who can use it) Agent(product) Views(marks of its use) Count(faults) First and Last(from when and until when it stood there; unknown: before the logs, still) Explained(why it cannot be told); no rung, for nobody did anything yet
	Secret         What = "secret"           // a file with secrets, or data worth taking: Mechanism(kind) Path Account(owner) Accounts(who may read it, "*" for all) Detail(whose)
	Outgoing       What = "outgoing"         // this host, or somebody on it, reached another machine: Source(the other end) Account Mechanism(how) Runs
	Traced         What = "traced"           // something that fits a complaint: Key(number of the complaint) Mechanism(mail, connection, request, login) Account Path(script or program) Pid Sources Views(queue ids) Detail
	SecretRead     What = "secret-read"      // somebody named files with secrets in a command that reads or packs them: Account As Runs Mechanism(sudo, audit, history) Views(their paths)
	KnownHost      What = "known-host"       // a machine that an account's ssh knows: Account Source Path Count(of hashed names; Source is "" then)
	Filtering      What = "packet-filter"    // a rule of the kernel's packet filter: Mechanism("redirect", "let-in", "cut-off", "rules") Path(chain) Source(address that it is for) Detail; "rules" sums all up
	RemoteScript   What = "remote-script"    // code that was fetched and run at once: Account Runs Detail
	Exploit        What = "exploit"          // a message of a service that only the use of a fault in it leaves: Service Source Runs(what was made to run) Detail(which fault)
)

// Finding is what a detection found. Fields that do not apply are empty.
type Finding struct {
	Detection string // id in the catalogue: "D13"
	What      What
	Title     string   // one line for people; may hold text from evidence, not escaped
	Attack    []string // ATT&CK techniques
	Level     Level
	Rung      evidence.Rung
	First     evidence.Time
	Last      evidence.Time
	Count     int64
	Told      int64 // of a MailRun: how many recipients its mails had, 0 where no log says

	Service   string
	Account   string
	As        string   // the account that it runs as or became
	Source    string   // address
	Sources   []string // more addresses
	Accounts  []string // more accounts
	Method    string   // of a login; "script" of an OddFile whose text can be read
	Key       string   // fingerprint
	Agent     string   // user agent
	Path      string
	Mechanism string // of persistence
	Runs      string
	Package   string // that owns Path
	Detail    string
	Pid       string
	Views     []string // that show a HiddenThing; of a SecretRead and DataFetched: paths of the files
	Access    *Access  // of Login and GuessedIn
	Tries     []Try    // of a WebAttack and an Exploit: the first ones, one by one

	For       []evidence.Quote
	Against   []evidence.Quote
	When      []evidence.Time // of a MailRun: when each mail came; of a LogEdited: when it was written anew; of a script: when it was asked for; of an undated command: when its history was last written; the first ones if there are very many
	Explained string          // why it is innocent after all, "" if nothing explains it
}

// Try is one request that tried to break in.
type Try struct {
	Source string
	At     evidence.Time
	Absent bool // what it asked for was not there: answered 404 or 410
	Quote  evidence.Quote
}

// TryOf makes a Try of an event.
func TryOf(e *event.Event) Try {
	status := string(e.Get(event.HTTPStatus))
	return Try{Source: e.Text(event.SourceIP), At: e.At, Absent: status == "404" || status == "410", Quote: e.Quote()}
}

// Access is what is known of a login beside who and when.
type Access struct {
	FailedHere      int64         // refused tries by the same address for the same account before the first success
	FailedAddress   int64         // refused tries by the same address, any account, before the first success
	TriedAccounts   int           // how many accounts the address tried before
	TriedInvalid    int64         // refused tries by the address for accounts that do not exist
	Trying          time.Duration // from the address's first refused try to the first success
	SinceTry        time.Duration // from its last one for another account; 0 where that is not known
	FailedAccount   int64         // refused tries for the account by other addresses before
	OtherAddresses  int           // by how many
	RecentTries     int64         // of those, within six hours before the first success
	RecentAddresses int
	UsualTries      int64         // for the account within six hours, on the average; 0 where it was tried for less than two days
	NewAddress      bool          // the account had logged in before, never from this network
	FirstOfAccount  bool          // no login of the account is older
	Longest         time.Duration // of the sessions whose end is seen; -1 where no end is seen
	Sessions        []Span        // bounded: the first ones and the last
}

// Unfamiliar tells that the account was not seen to log in from this network before.
func (a *Access) Unfamiliar() bool { return a.NewAddress || a.FirstOfAccount }

// Span is a session's time. End is unknown where it was not seen.
type Span struct{ Start, End evidence.Time }

// Detection is a member of the family.
type Detection struct {
	ID     string // of the fold: "logins"; findings carry the catalogue's own ids
	Title  string
	Doc    string
	IDs    []string // the catalogue's rows it covers
	Attack []string
	Wants  []event.Kind
	// LinesOf are the programs whose LogLines it wants, by the beginnings of their names in lower case; nil for all.
	LinesOf []string
	SaidBy  []string // likewise, whose ProgramSaid events
	New     func(Scene) Fold
}

// Fold is one run of a detection.
type Fold interface {
	// Observe takes an event, which is valid only during the call.
	Observe(*event.Event)
	// Findings gives what was found; it is called once, after the last event.
	Findings(context.Context) iter.Seq[Finding]
}

// Scene is what is known of the host before the first event.
type Scene struct {
	Users    []User
	WebRoots []string
	// Internal tells whether an address belongs to the server's own networks.
	HostName string
	// ChangeTimes tells whether change times of files are the server's own.
	ChangeTimes bool
	// Machines names the machine of each source of evidence, where that is known: several may be examined together.
	Machines map[string]string
}

// Several stands in Scene.Machines for a source that holds what ran on more than one machine: which of them a log of it is of cannot be told.
const Several = "*"

// SameMachine tells whether two sources of evidence may be of one machine: a disk and what was taken while it ran. It denies it of two that bear different names,
// and of a source that holds several machines.
func (s Scene) SameMachine(a, b string) bool {
	x, y := s.Machines[a], s.Machines[b]
	if x == Several || y == Several {
		return false
	}
	return a == b || x == "" || y == "" || x == y
}

// User is one account of the host.
type User struct {
	Name, Home, Shell string
	UID               uint32
}

// UserByUID gives the name of an account, "" where there is none.
func (s Scene) UserByUID(uid string) string {
	for _, u := range s.Users {
		if uid == utoa(u.UID) {
			return u.Name
		}
	}
	if uid == "0" { // on every system, also where its list of accounts was not brought
		return "root"
	}
	return ""
}

// User gives an account by its name.
func (s Scene) User(name string) (User, bool) {
	for _, u := range s.Users {
		if u.Name == name {
			return u, true
		}
	}
	return User{}, false
}

func utoa(n uint32) string {
	var b [10]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

// Reporter is a fold that can tell how rules fared, which others wrote.
type Reporter interface{ Report() RuleReport }

// RuleReport says of how many rules were read, how many matched, and which could not: a rule that saw nothing it looks at has not found nothing.
type RuleReport struct {
	Read    int // all, with those that are refused
	Hit     int
	Blind   map[string]int // rules by the log source that they need, and that is not in this evidence or not read at all
	Refused []RefusedRule
}

// RefusedRule is a rule that cannot be used, and why.
type RefusedRule struct{ File, Why string }
