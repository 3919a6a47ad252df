package software

import (
	"bytes"
	"path"
	"strings"
)

// sites lists the software that tells its version in one file.
func sites() []*site {
	web := func(names ...string) (out []string) {
		for _, n := range names {
			out = append(out, "{webroot}/"+n, "{webroot}/**/"+n)
		}
		return out
	}
	app := func(name, doc, spec string, files []string, read func(head []byte) (found, bool)) *site {
		return &site{name: name + "-version", doc: doc, spec: spec, world: Application, files: files, read: func(_ string, head []byte) (found, bool) {
			f, ok := read(head)
			f.name = name
			return f, ok
		}}
	}
	return []*site{
		app("wordpress", "the version of WordPress", "WordPress wp-includes/version.php", web("wp-includes/version.php"), quoted("$wp_version")),
		{name: "wordpress-plugins", doc: "the plugins of WordPress and their versions", spec: "WordPress wp-admin/includes/plugin.php get_plugin_data()", world: Plugin, files: web("wp-content/plugins/*/*.php", "wp-content/mu-plugins/*/*.php"), read: header("Plugin Name:")},
		{name: "wordpress-themes", doc: "the themes of WordPress and their versions", spec: "WordPress wp-includes/class-wp-theme.php", world: Theme, files: web("wp-content/themes/*/style.css"), read: header("Theme Name:")},
		app("timthumb", "copies of TimThumb", "TimThumb timthumb.php", web("timthumb.php", "thumb.php"), timthumb),
		app("joomla", "the version of Joomla", "Joomla administrator/manifests/files/joomla.xml", web("administrator/manifests/files/joomla.xml"), element("<version>")),
		{name: "joomla-extensions", doc: "the extensions of Joomla and their versions", spec: "Joomla manifest files", world: Extension, files: web("administrator/components/com_*/*.xml", "plugins/*/*/*.xml", "modules/mod_*/*.xml"), read: manifest},
		app("drupal", "the version of Drupal", "Drupal core/lib/Drupal.php, in 7 includes/bootstrap.inc", web("core/lib/Drupal.php", "includes/bootstrap.inc"), either(quoted("const VERSION"), quoted("define('VERSION'"))),
		{name: "drupal-modules", doc: "the modules of Drupal and their versions", spec: "Drupal *.info.yml, in 7 *.info", world: Module, files: web("modules/**/*.info.yml", "sites/*/modules/**/*.info"), read: info},
		app("phpmyadmin", "the version of phpMyAdmin", "phpMyAdmin README, libraries/classes/Version.php", web("README"), readme("phpMyAdmin - Readme", "Version ")),
		app("roundcube", "the version of Roundcube", "Roundcube program/include/iniset.php", web("program/include/iniset.php"), quoted("define('RCMAIL_VERSION'")),
		app("nextcloud", "the version of Nextcloud", "Nextcloud version.php", web("version.php"), quoted("$OC_VersionString")),
		app("prestashop", "the version of PrestaShop", "PrestaShop app/AppKernel.php, config/settings.inc.php", web("app/AppKernel.php", "config/settings.inc.php"), prestashop),
		app("vbulletin", "the version of vBulletin", "vBulletin includes/version_vbulletin.php", web("includes/version_vbulletin.php"), quoted("define('FILE_VERSION_VBULLETIN'")),
		app("cacti", "the version of Cacti", "Cacti include/cacti_version", web("include/cacti_version"), whole),
		app("webmin", "the version of Webmin", "Webmin miniserv.pl", []string{"/usr/{share,libexec}/webmin/version", "/usr/local/webmin*/version", "/opt/webmin*/version"}, whole),
		app("cpanel", "the version of cPanel", "cPanel /usr/local/cpanel/version", []string{"/usr/local/cpanel/version"}, whole),
		app("gitlab", "the version of GitLab", "GitLab VERSION", []string{"/opt/gitlab/embedded/service/gitlab-rails/VERSION"}, whole),
		app("confluence", "the version of Confluence", "Maven pom.properties", []string{"/{opt,srv,usr/local,home}/**/META-INF/maven/com.atlassian.confluence/confluence-webapp/pom.properties"}, after("version=")),
		app("tomcat", "the version of Tomcat", "Tomcat RELEASE-NOTES", []string{"/{opt,srv,usr/local,home}/**/RELEASE-NOTES"}, after("Apache Tomcat Version ")),
	}
}

// quoted finds a word and the version in quotes behind it: $wp_version = '6.4.2'; define('VERSION', '7.57').
func quoted(word string) func([]byte) (found, bool) {
	return func(head []byte) (found, bool) {
		for at := 0; ; {
			i := bytes.Index(head[at:], []byte(word))
			if i < 0 {
				return found{}, false
			}
			at += i + len(word)
			from, to := lineAt(head, at)
			line := bytes.TrimSpace(head[from:to])
			if bytes.HasPrefix(line, []byte("*")) || bytes.HasPrefix(line, []byte("//")) || bytes.HasPrefix(line, []byte("#")) || at > to {
				continue
			}
			if v, ok := inQuotes(head[at:to]); ok && sound(v) {
				return found{version: v, off: from, n: to - from}, true
			}
		}
	}
}

func inQuotes(b []byte) (string, bool) {
	i := bytes.IndexAny(b, `'"`)
	if i < 0 {
		return "", false
	}
	j := bytes.IndexByte(b[i+1:], b[i])
	if j < 0 || j > maxVersion {
		return "", false
	}
	return string(b[i+1 : i+1+j]), true
}

func either(all ...func([]byte) (found, bool)) func([]byte) (found, bool) {
	return func(head []byte) (found, bool) {
		for _, read := range all {
			if f, ok := read(head); ok {
				return f, true
			}
		}
		return found{}, false
	}
}

// header reads the comment at the head of a plugin or theme, which has to bear its own name, too: "Version: 6.0". WordPress looks at 8 KiB.
func header(name string) func(string, []byte) (found, bool) {
	return func(p string, head []byte) (found, bool) {
		head = head[:min(len(head), 8<<10)]
		if _, ok := field(head, name); !ok {
			return found{}, false
		}
		f, ok := field(head, "Version:")
		f.name = folder(p)
		return f, ok
	}
}

// field finds a line of a comment that begins with a word; before it stand only the marks of a comment.
func field(head []byte, word string) (found, bool) {
	off := 0
	for line := range bytes.Lines(head) {
		t := bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimSpace(line), []byte("<?php")), " \t/*#@")
		if len(t) >= len(word) && strings.EqualFold(string(t[:len(word)]), word) {
			v, _, _ := strings.Cut(strings.TrimSpace(string(t[len(word):])), " ")
			return found{version: v, off: off, n: len(bytes.TrimRight(line, "\r\n"))}, true
		}
		off += len(line)
	}
	return found{}, false
}

// timthumb knows the script by the name that it gives itself, for "thumb.php" is anybody's.
func timthumb(head []byte) (found, bool) {
	if !bytes.Contains(bytes.ToLower(head), []byte("timthumb")) {
		return found{}, false
	}
	return either(quoted("define ('VERSION'"), quoted("define('VERSION'"))(head)
}

// element reads the first <version>1.2</version>.
func element(tag string) func([]byte) (found, bool) {
	return func(head []byte) (found, bool) {
		i := bytes.Index(head, []byte(tag))
		if i < 0 {
			return found{}, false
		}
		from, to := lineAt(head, i)
		v, _, ok := strings.Cut(string(head[i+len(tag):max(to, i+len(tag))]), "<")
		return found{version: strings.TrimSpace(v), off: from, n: to - from}, ok
	}
}

// manifest reads the manifest of an extension of Joomla; other files of XML lie beside it.
func manifest(p string, head []byte) (found, bool) {
	if !bytes.Contains(head, []byte("<extension ")) && !bytes.Contains(head, []byte("<install ")) {
		return found{}, false
	}
	f, ok := element("<version>")(head)
	f.name = folder(p)
	return f, ok
}

// info reads the version that Drupal's packaging writes into a module's description.
func info(p string, head []byte) (found, bool) {
	off := 0
	for line := range bytes.Lines(head) {
		k, v, ok := strings.Cut(strings.Replace(string(line), "=", ":", 1), ":")
		if v = strings.Trim(strings.TrimSpace(v), `'"`); ok && strings.TrimSpace(k) == "version" && line[0] == 'v' {
			name, _, _ := strings.Cut(path.Base(p), ".")
			return found{name: name, version: v, off: off, n: len(bytes.TrimRight(line, "\r\n"))}, true
		}
		off += len(line)
	}
	return found{}, false
}

// readme reads a line that begins with a word, in a file that begins with its title.
func readme(title, word string) func([]byte) (found, bool) {
	return func(head []byte) (found, bool) {
		if !bytes.HasPrefix(bytes.TrimSpace(head), []byte(title)) {
			return found{}, false
		}
		return after(word)(head)
	}
}

// after reads what stands behind a word that a line begins with.
func after(word string) func([]byte) (found, bool) {
	return func(head []byte) (found, bool) {
		off := 0
		for line := range bytes.Lines(head) {
			t := strings.TrimSpace(string(line))
			if v, ok := strings.CutPrefix(t, word); ok {
				return found{version: strings.TrimSpace(v), off: off, n: len(bytes.TrimRight(line, "\r\n"))}, true
			}
			off += len(line)
		}
		return found{}, false
	}
}

// prestashop: two files, of which one has a class that others have, too.
func prestashop(head []byte) (found, bool) {
	if f, ok := quoted("define('_PS_VERSION_'")(head); ok || !bytes.Contains(head, []byte("PrestaShop")) {
		return f, ok
	}
	return quoted("const VERSION")(head)
}

// whole reads a file that holds nothing but the version.
func whole(head []byte) (found, bool) {
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	v := string(bytes.TrimSpace(line))
	return found{version: v, n: len(bytes.TrimRight(line, "\r"))}, len(bytes.TrimSpace(rest)) == 0
}
