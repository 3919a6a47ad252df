package secrets_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"telltale/internal/secrets"
)

// openssh makes the head of a key file with a cipher of this name.
func openssh(cipher string) string {
	raw := "openssh-key-v1\x00\x00\x00\x00" + string(rune(len(cipher))) + cipher + "\x00\x00\x00\x04none" + strings.Repeat("\x00", 64)
	b := base64.StdEncoding.EncodeToString([]byte(raw))
	return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + b[:70] + "\n" + b[70:] + "\n-----END OPENSSH PRIVATE KEY-----\n"
}

const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"

var files = []struct{ path, head, want string }{
	{"/etc/shadow", "root:$y$j9T$abcdefgh:1:::::\nbin:*:1:::::\namy:!:1::::\n", "shadow of 1 with a password"},
	{"/etc/shadow", "root:*:1:::::\n", ""},
	{"/home/x/shadow", "root:$y$j9T$abcdefgh:1:::::\n", ""},
	{"/etc/ssh/ssh_host_ed25519_key", openssh("none"), "ssh-host-key"},
	{"/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA", ""},
	{"/home/amy/.ssh/id_ed25519", openssh("none"), "ssh-key not protected by a passphrase"},
	{"/home/amy/.ssh/work", openssh("aes256-ctr"), "ssh-key protected by a passphrase"},
	{"/home/amy/.ssh/id_rsa", pem, "ssh-key not protected by a passphrase"},
	{"/home/amy/.ssh/id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA", "ssh-key protected by a passphrase"},
	{"/home/amy/.ssh/id_rsa", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA", "ssh-key protected by a passphrase"},
	{"/home/amy/.ssh/k.ppk", "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n", "ssh-key not protected by a passphrase"},
	{"/home/amy/.ssh/id_rsa.pub", "ssh-rsa AAAA amy", ""},
	{"/home/amy/.ssh/known_hosts", "db1 ssh-rsa AAAA", ""},
	{"/home/amy/cloud.pem", pem, "loose-key not protected by a passphrase"},
	{"/home/amy/chain.pem", "-----BEGIN CERTIFICATE-----\n", ""},
	{"/etc/letsencrypt/archive/example.org/privkey1.pem", "-----BEGIN PRIVATE KEY-----\n", "tls-key not protected by a passphrase"},
	{"/etc/letsencrypt/archive/example.org/fullchain1.pem", "-----BEGIN CERTIFICATE-----\n", ""},
	{"/etc/ssl/private/ssl-cert-snakeoil.key", pem, ""},
	{"/etc/nginx/tls/site.key", pem, "tls-key not protected by a passphrase"},
	{"/var/www/html/wp-config.php", "<?php define( 'DB_PASSWORD', 'hunter2' );", "wordpress"},
	{"/srv/shop/wp-config.php.bak", "<?php define( 'DB_PASSWORD', 'hunter2' );", "wordpress"},
	{"/var/www/j/configuration.php", "<?php class JConfig { public $password = 'hunter2'; }", "joomla"},
	{"/var/www/d/sites/default/settings.php", "$databases['default'] = ['password' => 'hunter2'];", "drupal"},
	{"/var/www/d/settings.php", "<?php // nothing", ""},
	{"/srv/app/.env", "APP_NAME=x\nDB_PASSWORD=hunter2\nSTRIPE_SECRET=sk_live_1\n", "environment it sets DB_PASSWORD, STRIPE_SECRET"},
	{"/srv/app/.env", "hunter2_password_of_mine=x\n", "environment"},
	{"/srv/app/.env", "APP_NAME=x\nDB_PASSWORD=\n", ""},
	{"/srv/m/app/etc/env.php", "'password' => 'hunter2',", "magento"},
	{"/srv/n/config/config.php", "'dbpassword' => 'hunter2',", "nextcloud"},
	{"/srv/own/config.php", "<?php\n$db_pass = 'hunter2';\n", "web-application"},
	{"/srv/own/config.php", "<?php\n$db_pass = getenv('DB_PASS');\n", ""},
	{"/srv/own/config.php", "<?php\n// password = 'x'\n$title = 'Reset your password';\n", ""},
	{"/root/.my.cnf", "[client]\nuser=root\npassword=hunter2\n", "mysql-client"},
	{"/root/.my.cnf", "[client]\nuser=root\n", ""},
	{"/etc/mysql/debian.cnf", "[client]\npassword = \n", ""},
	{"/root/.pgpass", "db1:*:*:amy:hunter2", "postgresql-client"},
	{"/root/.netrc", "machine x login y password z", "netrc"},
	{"/home/amy/.git-credentials", "https://amy:t@git.example", "git-credentials"},
	{"/home/amy/.aws/credentials", "[default]\naws_secret_access_key = x\n", "aws"},
	{"/home/amy/.aws/config", "[default]\nregion = eu\n", ""},
	{"/home/amy/.kube/config", "apiVersion: v1", "kubernetes"},
	{"/home/amy/.docker/config.json", `{"auths":{"x":{"auth":"a"}}}`, "docker-registry"},
	{"/home/amy/.docker/config.json", `{"credsStore":"pass"}`, ""},
	{"/home/amy/.npmrc", "//registry/:_authToken=x", "package-tokens"},
	{"/etc/postfix/sasl_passwd", "[relay]:587 user:hunter2\n", "mail-relay"},
	{"/etc/exim4/passwd.client", "# nothing\n", ""},
	{"/etc/krb5.keytab", "\x05\x02", "kerberos"},
	{"/var/www/site/.htpasswd", "amy:$apr1$abc$defghijk\n", "htpasswd of 1 with a password"},
	{"/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = x", "wireguard"},
	{"/var/www/html/dump.sql.gz", "\x1f\x8b", "dump"},
	{"/var/www/html/dump.sql", "-- MySQL dump 10.13", "dump"},
	{"/var/www/html/schema.sql", "CREATE TABLE x (y int);", ""},
	{"/home/amy/app/node_modules/x/config.json", `{"password": "hunter2"}`, ""},
	{"/home/amy/app/vendor/x/tests/key.pem", pem, ""},
	{"/home/amy/inventory/hosts.yml", "url: https://x.example", ""},
	{"/home/amy/app/config.yaml", "password: hunter2", ""},
	{"/etc/borgmatic/config.yaml", "", ""},
	{"/etc/borgmatic.d/a.yaml", "encryption_passphrase: x", "backup"},
	{"/srv/own/config.php", "<?php\n$pass = md5($x);\n", ""},
	{"/srv/own/config.json", `{"db": {"password": "hunter2("}}`, "web-application"},
	{"/usr/share/mysql/fill.sql", "x", ""},
	{"/var/lib/samba/private/passdb.tdb", "TDB", "samba-accounts"},
	{"/etc/hosts", "127.0.0.1 localhost", ""},
}

func TestKinds(t *testing.T) {
	table := secrets.New()
	for _, tc := range files {
		got := ""
		for _, k := range table.Of(tc.path) {
			if more, is := k.Look([]byte(tc.head)); is {
				got = strings.TrimSpace(k.ID + " " + more)
				break
			}
		}
		if got != tc.want {
			t.Errorf("%s (%.20q): got %q, want %q", tc.path, tc.head, got, tc.want)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: the secret itself is told", tc.path)
		}
	}
}

func TestFolders(t *testing.T) {
	table := secrets.New()
	for p, want := range map[string]string{"/var/lib/mysql": "database-files", "/home/amy/Maildir": "mail", "/home/amy/mail": "mail", "/var/mail": "mail", "/backup": "backups", "/home/amy/src/linux/mail": "", "/var/lib/dpkg": "", "/root/.gnupg/private-keys-v1.d": "pgp-keys"} {
		got := ""
		if k := table.Folder(p); k != nil {
			got = k.ID
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}

func TestEveryKindIsWhole(t *testing.T) {
	table := secrets.New()
	for _, tc := range files {
		for _, k := range table.Of(tc.path) {
			if k.ID == "" || k.Class == "" || k.Words == "" || k.Do == "" || table.ByID(k.ID) == nil {
				t.Errorf("%+v", k)
			}
		}
	}
}

// FuzzLook holds any content against every kind: no panic, and nothing of the content in what is told.
func FuzzLook(f *testing.F) {
	for _, tc := range files {
		f.Add(tc.path, []byte(tc.head))
	}
	table := secrets.New()
	f.Fuzz(func(t *testing.T, path string, head []byte) {
		for _, k := range table.Of(path) {
			if more, _ := k.Look(head); len(more) > 300 || strings.ContainsAny(more, "\n\x00'\"=") {
				t.Fatalf("%s tells %q", k.ID, more)
			}
		}
	})
}

func BenchmarkOf(b *testing.B) {
	table := secrets.New()
	for b.Loop() {
		table.Of("/usr/share/doc/perl/Changes.txt")
	}
}
