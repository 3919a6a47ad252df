package story

import (
	"path"
	"strings"

	"telltale/detect"
)

// closes is what closes a way in, and why.
type closes struct{ step, why string }

// closingByService says it for ways in that one kind of service closes otherwise than the rest.
var closingByService = map[string]closes{
	"ssh-password-guessed login":       telnet,
	"ssh-password-guessed telnetd":     telnet,
	"ssh-password-guessed xrdp-sesman": {"Close port 3389 to the outside, or reach the desktop through a tunnel of ssh only.", "This was the way in, and guessing never stops."},
	"open-share smbd":                  {"Ask for a password on every share that can be written to, give the accounts that were used new ones (smbpasswd), and close ports 139 and 445 to the outside.", "Whoever reached the share could write there."},
	"web-admin webmin":                 panel("Webmin", "10000"),
	"web-admin usermin":                panel("Usermin", "20000"),
	"web-admin cockpit":                panel("Cockpit", "9090"),
	"web-admin cpaneld":                panel("cPanel", "2083"),
	"web-admin whostmgrd":              panel("WHM", "2087"),
	"web-admin jupyter":                panel("Jupyter", "8888"),
	"web-admin pveproxy":               panel("Proxmox VE", "8006"),
	"open-share rsyncd":                {"Set \"read only = yes\" on every module in rsyncd.conf that need not be written to, ask for a password on the others (auth users, hosts allow), and close port 873 to the outside.", "Anybody could write there."},
	"ftp-password rsyncd":              {"Give the accounts of rsyncd.conf new passwords, let in only the machines that send (hosts allow), or send by ssh with keys.", "The password of a module is known, and its transfers go over the line in clear."},
}

var telnet = closes{"Switch telnet and rlogin off, and let only keys log in by ssh.", "This was the way in: passwords go over the line in clear, and guessing never stops."}

func panel(name, port string) closes {
	return closes{"Let " + name + " (port " + port + ") be reached from your own networks only, give %s a new password and a second factor, and end its sessions.", "Whoever logs in there changes files and runs programs."}
}

// tools are pages of administrators by which a script comes without any form of the site, and what closes each.
var tools = []struct {
	pages []string
	closes
}{
	{[]string{"/manager/html/upload", "/manager/html/deploy", "/manager/text/deploy", "/manager/deploy", "/host-manager/"}, closes{"Undeploy the intruder's application (its folder and its .war), give Tomcat's manager a new password in tomcat-users.xml or remove the manager, and let it answer localhost only (RemoteAddrValve).",
		"Whoever enters the manager runs programs; a form of the site was not needed."}},
	{[]string{"/phpmyadmin/", "/pma/", "/phpMyAdmin/", "/dbadmin/", "/mysqladmin/"}, closes{"Let phpMyAdmin be reached from your own networks only, give the database's accounts new passwords, take the right FILE from them, and set secure_file_priv.",
		"Who may write files as the database's account writes scripts; a form of the site was not needed."}},
	{[]string{"/adminer"}, closes{"Remove Adminer or let it be reached from your own networks only, give the database's accounts new passwords, and take the right FILE from them.",
		"Who may write files as the database's account writes scripts; a form of the site was not needed."}},
}

// injected closes what took a statement of SQL.
var injected = closes{"Mend the page that puts what a visitor sends into SQL, take the right FILE from the site's database account, set secure_file_priv, and give the database's accounts and the site's administrators new passwords.",
	"The database wrote the script, and could read all that the site may read."}

// closingOf gives what closes a way in, where that is not what is said of its vector.
func (b *builder) closingOf(e *Entry) (closes, bool) {
	if c, ok := closingByService[e.Vector+" "+e.Service]; ok {
		return c, true
	}
	if door, ok := OtherDoor(e.Vector, e.Service); ok && strings.HasPrefix(e.Vector, "ssh-password-") {
		return closes{"Let " + door + " be reached from your own networks only, and switch it off where nobody needs it; see where the password of " + accountOr(e.Account, "the account") + " is used elsewhere.", "This was the way in, and guessing never stops."}, true
	}
	if e.Vector != "web-upload" && e.Vector != "web-admin" && e.Vector != "web-exploit" {
		return closes{}, false
	}
	for _, f := range b.by[detect.WebUpload] {
		if f.Level < detect.High || !contains(e.Sources, f.Source) {
			continue
		}
		if f.Mechanism == bySQL {
			return injected, true
		}
		if c := toolOf(f); c != nil {
			return *c, true
		}
	}
	return closes{}, false
}

// toolOf gives what closes the administrators' page by which a script came, nil where it came by none.
func toolOf(f *detect.Finding) *closes {
	for i := range tools {
		for _, p := range tools[i].pages {
			if strings.Contains(f.Detail, " to "+p) || strings.Contains(f.Detail, " by "+p) {
				return &tools[i].closes
			}
		}
	}
	return nil
}

// besideShell tells a file that came within an hour of a script of the intruder's, in the same site.
func (b *builder) besideShell(f *detect.Finding) bool {
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, x := range b.by[w] {
			if d := f.First.Sub(x.First); x.Level >= detect.High && b.told[x] != "" && strings.HasPrefix(f.Path, path.Dir(x.Path)+"/") && f.First.Known() && x.First.Known() && d.Abs() < openEnd/4 {
				return true
			}
		}
	}
	return false
}
