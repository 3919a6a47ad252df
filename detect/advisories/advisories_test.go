package advisories_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/advisories"
	"telltale/detect/detecttest"
	"telltale/internal/version"
)

const debian9 = "- machine os.name=debian os.version=9\n"

func pack(name, source, ver string) string {
	return fmt.Sprintf("- package package.type=deb package.name=%s package.source=%q package.version=%s package.status=\"install ok installed\"\n", name, source, ver)
}

// TestFindings: what has faults, what has none, and of what it cannot be told.
func TestFindings(t *testing.T) {
	for _, c := range []struct {
		what, events string
		given        bool
		want         []string
	}{
		{"a package below Debian's own fix", debian9 + pack("exim4-base", "exim4", "4.89-2+deb9u3"), false, []string{"exim4 4.89-2+deb9u3 CVE-2019-10149 fixed 4.89-2+deb9u4", "exim4 4.89-2+deb9u3 CVE-2019-15846 fixed 4.89-2+deb9u6", "exim4 4.89-2+deb9u3 CVE-2018-6789 fixed 4.90.1 doubted"}},
		{"a package with the fix in Debian's numbering", debian9 + pack("exim4-base", "exim4", "4.89-2+deb9u6"), false, []string{"exim4 4.89-2+deb9u6 CVE-2018-6789 fixed 4.90.1 doubted"}},
		{"the advisories know better", debian9 + pack("exim4-base", "exim4", "4.89-2+deb9u6"), true, nil},
		{"an advisory", debian9 + pack("exim4-base", "exim4", "4.89-2+deb9u1"), true, []string{"exim4 4.89-2+deb9u1 CVE-2019-10149 fixed 4.89-2+deb9u4", "exim4 4.89-2+deb9u1 CVE-2019-15846 fixed 4.89-2+deb9u6"}},
		{"no system told", pack("exim4-base", "exim4", "4.89-2+deb9u6"), true, []string{"exim4 4.89-2+deb9u6 CVE-2019-10149 fixed 4.92 doubted", "exim4 4.89-2+deb9u6 CVE-2019-15846 fixed 4.92.2 doubted", "exim4 4.89-2+deb9u6 CVE-2018-6789 fixed 4.90.1 doubted"}},
		{"two systems in one source", debian9 + "- machine os.name=debian os.version=12\n" + pack("zlib1g", "zlib", "1:1.2.8.dfsg-5"), true, nil},
		{"the source has another version than the package", debian9 + pack("zlib1g", "zlib (1:1.2.8.dfsg-5)", "2:9"), true, []string{"zlib 2:9 CVE-2018-25032 fixed 1:1.2.8.dfsg-5+deb9u1"}},
		{"several packages of one source", debian9 + pack("zlib1g", "zlib", "1:1.2.8.dfsg-5") + pack("zlib1g-dev", "zlib", "1:1.2.8.dfsg-5"), true, []string{"zlib 1:1.2.8.dfsg-5 CVE-2018-25032 fixed 1:1.2.8.dfsg-5+deb9u1"}},
		{"removed, with its settings left", debian9 + strings.Replace(pack("exim4-base", "exim4", "4.89-2"), "install ok installed", "deinstall ok config-files", 1), true, nil},
		{"an old kernel beside a new one", "- machine os.name=debian os.version=8\n" + pack("linux-image-a", "linux", "3.16.36-1") + pack("linux-image-b", "linux", "3.16.43-2"), false, nil},
		{"a kernel that another source signed", "- machine os.name=debian os.version=8\n" + pack("linux-image-a", "linux-signed-amd64 (3.16.36+1)", "3.16.36-1"), false, []string{"linux 3.16.36-1 CVE-2016-5195 fixed 3.16.36-1+deb8u2"}},
		{"rpm says when it was installed", "- package package.type=rpm package.name=sudo package.source=sudo-1.8.23-4.el7.src.rpm package.version=1.8.23-4.el7 package.installed=2024-01-02T03:04:05Z\n", false, []string{"sudo 1.8.23-4.el7 CVE-2021-3156 fixed 1.8.32 from 03:04 doubted", "sudo 1.8.23-4.el7 CVE-2019-14287 fixed 1.8.28 from 03:04 doubted"}},
		{"a plugin", "- software-seen package.type=wordpress-plugin package.name=wp-file-manager package.version=6.8 file.path=/var/www/html/wp-content/plugins/wp-file-manager/x.php\n", false, []string{"wp-file-manager 6.8 CVE-2020-25213 fixed 6.9"}},
		{"a plugin that is mended", "- software-seen package.type=wordpress-plugin package.name=wp-file-manager package.version=6.9 file.path=/x\n", false, nil},
		{"built by hand", "- software-seen package.type=binary package.name=proftpd package.version=1.3.5 file.path=/usr/local/sbin/proftpd\n", false, []string{"proftpd 1.3.5 CVE-2015-3306 fixed 1.3.5a"}},
		{"a number that alone tells nothing", "- software-seen package.type=binary package.name=vsftpd package.version=2.3.4 file.path=/usr/local/sbin/vsftpd\n", false, []string{"vsftpd 2.3.4 CVE-2011-2523 fixed 2.3.5 doubted"}},
		{"xz with what was put into its archive", "- machine os.name=debian os.version=13\n" + pack("liblzma5", "xz-utils", "5.6.1-1"), false, []string{"xz-utils 5.6.1-1 CVE-2024-3094 fixed 5.6.2"}},
		{"xz as it was taken back", "- machine os.name=debian os.version=13\n" + pack("liblzma5", "xz-utils", "5.6.1+really5.4.5-1"), false, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			var db *advisories.Database
			if c.given {
				db = loaded(t)
			}
			got := words(detecttest.Run(t, advisories.New(db), detecttest.Scene(), c.events))
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func words(all []detect.Finding) (out []string) {
	for _, f := range all {
		s := fmt.Sprintf("%s %s %s fixed %s", f.Package, f.Detail, strings.Join(f.Sources, " "), f.Method)
		if f.First.Known() {
			s += " from " + f.First.Std().Format("15:04")
		}
		if f.Last.Known() {
			s += " until " + f.Last.Std().Format("15:04")
		}
		if f.Explained != "" {
			s += " doubted"
		}
		out = append(out, s)
	}
	return out
}

// TestHistory: the log of the package manager tells which version stood there when.
func TestHistory(t *testing.T) {
	const upgrade = "03:04:05 package-changed package.name=zlib1g package.previous=1:1.2.8.dfsg-5 package.version=1:1.2.8.dfsg-5+deb9u1 change=upgrade @/var/log/dpkg.log\n"
	for _, c := range []struct {
		what, events string
		want         []string
	}{
		{"mended later", pack("zlib1g", "zlib", "1:1.2.8.dfsg-5+deb9u1") + upgrade, []string{"zlib 1:1.2.8.dfsg-5 CVE-2018-25032 fixed 1:1.2.8.dfsg-5+deb9u1 until 03:04"}},
		{"the log tells of another machine", pack("zlib1g", "zlib", "1:1.2.8.dfsg-5+deb9u2") + upgrade, nil},
		{"a kernel beside a newer one", pack("linux-image-a", "linux", "4.9.1-1") + pack("linux-image-b", "linux", "4.9.2-1") + "03:04:05 package-changed package.name=linux-image-b package.previous=<none> package.version=4.9.2-1 change=install\n",
			[]string{"linux 4.9.1-1 CVE-2017-7308 fixed 4.9.2-1 until 03:04"}},
		{"put back", pack("zlib1g", "zlib", "1:1.2.8.dfsg-5") + upgrade + "04:00:00 package-changed package.name=zlib1g package.previous=1:1.2.8.dfsg-5+deb9u1 package.version=1:1.2.8.dfsg-5 change=upgrade\n",
			[]string{"zlib 1:1.2.8.dfsg-5 CVE-2018-25032 fixed 1:1.2.8.dfsg-5+deb9u1 from 04:00", "zlib 1:1.2.8.dfsg-5 CVE-2018-25032 fixed 1:1.2.8.dfsg-5+deb9u1 until 03:04"}},
	} {
		if got := words(detecttest.Run(t, advisories.New(loaded(t)), detecttest.Scene(), debian9+c.events)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got\n%s", c.what, strings.Join(got, "\n"))
		}
	}
}

// TestList: the built-in list is whole, and its ranges run forward.
func TestList(t *testing.T) {
	list, err := advisories.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 40 {
		t.Errorf("only %d entries", len(list))
	}
	worlds := []string{"application", "wordpress-plugin", "wordpress-theme", "packagist", "maven", "binary", "package"}
	for _, k := range list {
		if k.Product == "" || k.Name == "" || k.What == "" || len(k.CVE) == 0 || !strings.HasPrefix(k.Ref, "https://") || !slices.Contains(worlds, k.World) || !slices.Contains([]string{"remote", "user", "victim", "local"}, k.How) {
			t.Errorf("something is missing: %+v", k)
		}
		if (k.How == "local") != (k.Service == "") || k.World == "package" && len(k.Packages) == 0 {
			t.Errorf("it fits no service, or no package: %+v", k)
		}
		for _, r := range k.Versions {
			if from, to, ok := strings.Cut(r, " "); !ok || version.Compare(version.Plain, from, to) >= 0 {
				t.Errorf("%s: the range %q", k.CVE, r)
			}
		}
	}
}
