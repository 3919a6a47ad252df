package lab

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// Who did an act.
const (
	Intruder = "intruder"
	Admin    = "admin"
	Visitor  = "visitor"
	Noise    = "noise"
)

// Cast are the people of a case and what they use, all drawn by the seed.
type Cast struct {
	Host     string
	Domain   string
	Zone     string
	Office   netip.Prefix // the network of those who work on the server
	Admin    Person
	Staff    []Person // with accounts of their own
	Visitors []Person // of the web site, without accounts
	Guessers []netip.Addr
	Scanners []Person
	Intruder Foe
	Second   Foe // another intruder, who knows nothing of the first
}

// Person is somebody with an account or a browser.
type Person struct {
	Account, Password string
	Address           netip.Addr
	Agent             string
	Key               *Key
}

// Foe is an intruder with everything that is its own.
type Foe struct {
	Addresses []netip.Addr
	Net       []netip.Addr // a botnet that guesses for it
	Agent     string
	Key       *Key
	Account   string // one that it makes
	Dir       string // where it hides its program
	Program   string // its program's name
	Unit      string // names that look like the system's
	CronFile  string
	Script    string // a web script's name
	Marks     string // a string of its own
}

var (
	hostNames  = []string{"web", "www", "srv", "mail", "app", "files", "db", "host", "node", "shop"}
	domains    = []string{"example.org", "example.net", "example.com"}
	zones      = []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Etc/UTC", "Europe/London", "Australia/Sydney", "America/Sao_Paulo", "Asia/Kolkata"}
	firstNames = []string{"alice", "marta", "jonas", "henri", "carla", "olga", "tomas", "ingrid", "pavel", "lucia", "bruno", "edith", "felix", "greta", "hanna", "ivan", "julia", "karim",
		"lena", "mikko", "nadia", "oskar", "petra", "quentin", "rosa", "stefan", "tilda", "ulrich", "vera", "walter", "yann", "zoe"}
	words    = []string{"summer", "winter", "dragon", "monkey", "sunshine", "welcome", "football", "master", "shadow", "qwerty", "letmein", "princess", "flower", "coffee", "soccer", "hockey"}
	browsers = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%d.0) Gecko/20100101 Firefox/%[1]d.0",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.%d Safari/605.1.15",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.%d Mobile/15E148 Safari/604.1",
	}
	tools     = []string{"python-requests/2.%d.0", "curl/7.%d.1", "Mozilla/5.0 zgrab/0.%d", "Go-http-client/1.1 (%d)", "Mozilla/5.00 (Nikto/2.5.%d) (Evasions:None)"}
	hideouts  = []string{"/var/tmp/.font-unix", "/tmp/.X17-lock.d", "/dev/shm/.pulse", "/var/tmp/.cache-ld", "/tmp/.ICE-auth", "/var/tmp/.sysd"}
	programs  = []string{"upd", "kworkerd", "sshdd", "dbusd", "xorg-s", "crond2", "netd"}
	units     = []string{"dbus-helper", "systemd-netd", "cron-monitor", "udev-sync", "rsync-agent", "apt-cache-sync"}
	cronFiles = []string{"man-db-update", "php-sess", "sysstat2", "logcheck-upd", "apt-compat2"}
	scripts   = []string{"thumb%d", "img_%d", "cache_%d", "config%d.bak", "gallery_%d", "wp-cache-%d"}
	makeUsers = []string{"sysbak", "support", "toor2", "ftpadm", "backup2", "nobody2"}
	commentsK = []string{"root@kali", "user@parrot", "me@vps%d", "admin@desktop-%d", "x@x"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// Pick gives one of a list by the case's dice.
func Pick[T any](p *Play, from ...T) T { return pick(p.Rand, from) }

func numbered(r *rand.Rand, s string) string {
	if strings.Contains(s, "%") {
		return fmt.Sprintf(s, 3+r.IntN(120))
	}
	return s
}

// hand deals documentation addresses, none twice.
type hand struct {
	r    *rand.Rand
	used map[netip.Addr]bool
}

func (h *hand) deal(nets ...string) netip.Addr {
	for {
		a := netip.MustParsePrefix(pick(h.r, nets)).Addr().As4()
		a[3] = byte(20 + h.r.IntN(230)) // below it stand the server and its sinks
		if x := netip.AddrFrom4(a); !h.used[x] {
			h.used[x] = true
			return x
		}
	}
}

func newKey(r *rand.Rand, comment string) *Key {
	var seed [32]byte
	for i := range 4 {
		binary.LittleEndian.PutUint64(seed[8*i:], r.Uint64())
	}
	return NewKey(seed, comment)
}

// password gives one that no list of guesses holds.
func password(r *rand.Rand) string {
	const letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
	b := make([]byte, 12)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

func newCast(r *rand.Rand) Cast {
	h := &hand{r, map[netip.Addr]bool{}}
	names := slices.Clone(firstNames)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	c := Cast{Host: fmt.Sprintf("%s%d", pick(r, hostNames), 1+r.IntN(40)), Domain: pick(r, domains), Zone: pick(r, zones), Office: netip.MustParsePrefix("198.51.100.0/24")}
	person := func(net string) Person {
		n := names[0]
		names = names[1:]
		return Person{n, password(r), h.deal(net), fmt.Sprintf(pick(r, browsers), 3+r.IntN(120)), newKey(r, n+"@"+pick(r, []string{"laptop", "desk", "home", "thinkpad"}))}
	}
	c.Admin = person("198.51.100.0/24")
	for range 3 + r.IntN(3) {
		c.Staff = append(c.Staff, person("198.51.100.0/24"))
	}
	for range 4 + r.IntN(5) {
		c.Visitors = append(c.Visitors, person("192.0.2.0/24"))
	}
	for range 4 + r.IntN(6) {
		c.Guessers = append(c.Guessers, h.deal("203.0.113.0/24", "192.0.2.0/24"))
	}
	for range 2 + r.IntN(3) {
		c.Scanners = append(c.Scanners, Person{Address: h.deal("203.0.113.0/24", "192.0.2.0/24"), Agent: fmt.Sprintf(pick(r, tools), 3+r.IntN(60))})
	}
	foe := func() Foe {
		f := Foe{Agent: fmt.Sprintf(pick(r, append(slices.Clone(browsers), tools[:2]...)), 3+r.IntN(120)), Key: newKey(r, numbered(r, pick(r, commentsK))), Account: pick(r, makeUsers),
			Dir: fmt.Sprintf("%s%d", pick(r, hideouts), r.IntN(90)), Program: pick(r, programs), Unit: pick(r, units), CronFile: pick(r, cronFiles), Script: numbered(r, pick(r, scripts)) + ".php",
			Marks: fmt.Sprintf("%08x", r.Uint32())}
		for range 3 {
			f.Addresses = append(f.Addresses, h.deal("203.0.113.0/24"))
		}
		for range 14 + r.IntN(8) {
			f.Net = append(f.Net, h.deal("203.0.113.0/24", "192.0.2.0/24"))
		}
		return f
	}
	c.Intruder, c.Second = foe(), foe()
	return c
}

// Addresses gives every address of the cast: what the Internet's side of a stage has to have.
func (c *Cast) Addresses() (out []netip.Addr) {
	for _, list := range [][]Person{{c.Admin}, c.Staff, c.Visitors, c.Scanners} {
		for _, p := range list {
			out = append(out, p.Address)
		}
	}
	return slices.Concat(out, c.Guessers, c.Intruder.Addresses, c.Intruder.Net, c.Second.Addresses, c.Second.Net)
}

// Weak gives a password that guessing finds, and the tries that come before it.
func (p *Play) Weak(account string) (found string, tries []string) {
	w, year := pick(p.Rand, words), 2019+p.Rand.IntN(6)
	found = fmt.Sprintf("%s%d", w, year)
	tries = []string{account, account + "123", "123456", "password", w, fmt.Sprintf("%s%d", w, year-1), fmt.Sprintf("%s%d", account, year), "qwerty", "111111", fmt.Sprintf("%s%d", pick(p.Rand, words), year), account + "!"}
	tries = slices.DeleteFunc(tries, func(t string) bool { return t == found })
	p.Rand.Shuffle(len(tries), func(i, j int) { tries[i], tries[j] = tries[j], tries[i] })
	return found, tries
}
