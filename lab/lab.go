// Package lab makes practice cases whose answers are known: a small server lives an ordinary life, somebody
// breaks in (or does not), and what is left is examined and scored.
//
// A scenario is played on a stage, which is one of three tiers: a tree that is only written (package lab/tree), a
// container with the real daemons, and a virtual machine (both package lab/container). The scenario's text is the same for
// all: what a person types, what a browser asks for. The truth is taken down while it is played, by the clock of the
// stage.
//
// Everything is harmless: addresses are documentation addresses (RFC 5737), malware is a stand-in that waits, and
// no stage has a way out.
package lab

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Tier is how real a case is.
type Tier string

// The tiers.
const (
	Tree      Tier = "tree"      // files, logs and times written by their formats; needs no rights
	Container Tier = "container" // real daemons in systemd-nspawn on a loop-mounted disk; needs root
	VM        Tier = "vm"        // a machine of its own in QEMU, with auditd and a memory dump; needs root for its network
)

// Scenario is one break-in, or a life without one.
type Scenario struct {
	Name     string
	Title    string // one line
	Question string // what who practises is asked first
	// Setup gives the server as it is before it first starts; the cast is there already.
	Setup func(*Play) Setup
	// Past plays ordinary days on a written stage. A real stage, which lives for minutes, starts with the logs of them.
	Past func(*Play) error
	// Live: the server is looked at while it runs, from a stick that an administrator brings; the evidence is what was collected. Only on a stage that runs.
	Live bool
	// Story plays the case, from the first ordinary day on.
	Story func(*Play) error
}

// PastDays is how many days Past plays.
const PastDays = 4

// Service is a daemon that the server runs, besides ssh, cron and the system log.
type Service string

// The services.
const (
	Web     Service = "web"     // apache with PHP and CGI
	FTP     Service = "ftp"     // vsftpd, local accounts
	Mail    Service = "mail"    // postfix; accounts may submit mail after a login checked by dovecot, which also gives IMAP
	Redis   Service = "redis"   // on every address, without a password, run by root
	Samba   Service = "samba"   // one share, "www", of the web root, open to guests
	ProFTPD Service = "proftpd" // a stand-in of ProFTPD 1.3.5, which copies files for whoever asks (CVE-2015-3306)
)

// Setup is a server before its first day.
type Setup struct {
	Hostname, Zone string
	Traditional    bool // rsyslog's old format: local time, no year
	Accounts       []Account
	Services       []Service
	Pages          []Page
	Files          []File
	Packages       []Package // offered in /srv/packages, not installed
	Live           bool      // as the scenario's
	RemoteLogs     bool      // another machine keeps a copy of the system log
}

// Has tells whether the server runs a service.
func (s *Setup) Has(x Service) bool {
	for _, y := range s.Services {
		if x == y {
			return true
		}
	}
	return false
}

// Account is a person's account on the server.
type Account struct {
	Name     string
	Password string // "" has none
	Sudo     bool   // may become root without a password
	Keys     []*Key // that may enter
}

// Page is a part of the web site beyond its ordinary pages.
type Page string

// The parts of a site; package lab/site has them for a real server.
const (
	UploadForm Page = "upload" // /gallery.php, whose /upload.php takes every file into /uploads/
	CMS        Page = "cms"    // /wp-login.php and /wp-admin/theme-editor.php, which writes theme files
	StatusCGI  Page = "cgi"    // /cgi-bin/status.sh, which hands its "host" to a shell
)

// File is put on the server before its first day, with the installation's age. A folder's path ends with a slash.
type File struct {
	Path, Owner string
	Mode        uint32
	Data        []byte
}

// Package is a Debian package that the case brings.
type Package struct {
	Name, Version string
	Files         []File
	Postinst      []string // lines of shell
}

// File gives the package's file name.
func (p *Package) FileName() string { return p.Name + "_" + p.Version + "_all.deb" }

// Login is a try to enter by ssh, with a password or a key.
type Login struct {
	From     netip.Addr
	Account  string
	Password string
	Key      *Key
}

// Request is what a browser or a tool asks of the web server.
type Request struct {
	From    netip.Addr
	Method  string // GET if empty
	Path    string // with its query, as sent
	Agent   string
	Referer string
	Form    map[string]string // of a POST
	Upload  *Upload           // of a POST
}

// Upload is a file in a form's field.
type Upload struct {
	Field, Name, Type string
	Data              []byte
}

// Transfer is a visit by FTP: a login and, if it is accepted, what is stored.
type Transfer struct {
	From              netip.Addr
	Account, Password string
	Path              string // "" stores nothing
	Data              []byte
	// Copy asks the ProFTPD stand-in, without a login, to copy one file to another.
	CopyFrom, CopyTo string
}

// Submission is mail given to the server: by an account after a login, or from outside for a local account.
type Submission struct {
	From              netip.Addr
	Account, Password string // "" is another server's delivery
	Sender            string
	Recipients        []string // a mail each
	Subject           string
}

// Share is a visit to the samba share as a guest, which stores a file.
type Share struct {
	From    netip.Addr
	Machine string // the visitor's name of itself
	Path    string // within the share
	Data    []byte
}

// ErrRefused is the answer to a login with a wrong name, password or key.
var ErrRefused = errors.New("refused")

// Stage is a server and the Internet around it. All times are the server's.
type Stage interface {
	Now() time.Time
	// Wait lets time pass: a written clock jumps, a real one waits a few seconds at most.
	Wait(ctx context.Context, d time.Duration) error
	// Cron waits until cron has run what is due every minute once more.
	Cron(ctx context.Context) error
	// Written tells that the clock is the stage's own, so that days may pass.
	Written() bool

	SSH(ctx context.Context, l Login) (Session, error)
	HTTP(ctx context.Context, r Request) (status int, err error)
	FTP(ctx context.Context, t Transfer) error
	Submit(ctx context.Context, m Submission) error
	Redis(ctx context.Context, from netip.Addr, commands ...[]string) error
	Share(ctx context.Context, s Share) error
	// Serve lets an address of the Internet offer a file by HTTP.
	Serve(from netip.Addr, path string, data []byte) error
}

// Running is a stage that can be looked at while it runs.
type Running interface {
	// Look lets an administrator run the examination from a stick, and gives the names of the evidence that it wrote into a folder.
	Look(ctx context.Context, by Login, dir string) ([]string, error)
	// Catch lets an address of the Internet take connections on a port, and keep them; on port 25 it takes mail.
	Catch(from netip.Addr, port int) error
}

// ErrNotRunning says that a scenario needs a server that runs.
var ErrNotRunning = errors.New("this scenario is looked at while the server runs: it needs --tier container")

// Session is a shell on a terminal.
type Session interface {
	// Run types one line. Lines after "sudo -i" go to root's shell until "exit". A prompt for a password is answered
	// by typing it as the next line.
	Run(ctx context.Context, line string) error
	// Close ends the session, with all its shells.
	Close(ctx context.Context) error
}

// Disk is a maker that knows, behind End, what is on the disk that it wrote: what lay in memory, or in a service's own
// /tmp (systemd's PrivateTmp), went when the server was switched off.
type Disk interface{ Has(path string) bool }

// Maker builds a stage, and the case of what was played on it.
type Maker interface {
	Tier() Tier
	// Begin makes the server and starts it.
	Begin(ctx context.Context, p *Play, s Setup) (Stage, error)
	// End stops the server and writes the evidence into a folder; it gives the names of what it wrote.
	End(ctx context.Context, dir string) ([]string, error)
	// Discard undoes what is left: mounts, namespaces, loop devices, files. It may be called at any time, more than once.
	Discard() error
	// Clock says how the clock of the case was made.
	Clock() string
}
