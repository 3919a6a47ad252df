package secrets

// The words of what replaces a secret, where several kinds share them.
const (
	doDatabase = "change the database password in it and in the database"
	doPassword = "change the password in it and where it is used"
	doToken    = "revoke it where it was given out, and make a new one"
	doSSH      = "take its public part out of every authorized_keys, and make a new key"
	doTLS      = "revoke the certificate, make a new key and have a new one issued"
)

// homes and places where people and sites keep files.
var kept = []string{"^/home/", "^/root/", "^/var/www/", "^/srv/", "^/opt/", "^/var/backups/", "^/backup", "^/usr/local/", "^/var/lib/www", "^/data/", "^/tmp/", "^/mnt/"}

func kinds() []Kind {
	var out []Kind
	for _, list := range [][]Kind{hashes(), keys(), tokens(), passwords(), sites(), data()} {
		out = append(out, list...)
	}
	return out
}

func hashes() []Kind {
	return []Kind{
		{ID: "shadow", Class: Hashes, Words: "the password hashes of the server's accounts", Do: "set new passwords for all accounts, here and wherever the same ones are used", names: []string{"shadow", "shadow-", "shadow.bak"}, below: []string{"^/etc/$", "^/var/backups/$"}, look: hashed},
		{ID: "htpasswd", Class: Hashes, Words: "password hashes of the web server's users", Do: "set new passwords for its users", names: []string{".htpasswd", "htpasswd"}, endings: []string{".htpasswd"}, look: hashedText},
		{ID: "samba-accounts", Class: Hashes, Words: "the password hashes of Samba's accounts", Do: "set new passwords for Samba's accounts", names: []string{"passdb.tdb", "smbpasswd"}, below: []string{"^/var/lib/samba/", "^/etc/samba/"}},
		{ID: "mail-accounts", Class: Hashes, Words: "the passwords or hashes of mail accounts", Do: "set new passwords for the mail accounts", names: []string{"users", "passwd", "userdb", "passwd.*", "cram-md5.pwd", "sasldb2"}, below: []string{"^/etc/dovecot/", "^/etc/$", "^/var/vmail/"}, look: hashed},
		{ID: "ftp-accounts", Class: Hashes, Words: "the passwords or hashes of ftp accounts", Do: "set new passwords for the ftp accounts", names: []string{"virtual_users*", "vsftpd_login*", "vsftpd-virtual*", "ftpd.passwd", "pureftpd.passwd", "pureftpd.pdb", "virtual-users*"}, below: []string{"^/etc/"}},
	}
}

func keys() []Kind {
	return []Kind{
		{ID: "ssh-host-key", Class: PrivateKey, Words: "the server's own ssh key", Do: "make new host keys (ssh-keygen -A after removing the old ones) and tell the users", names: []string{"ssh_host_*_key", "dropbear_*_host_key"}, below: []string{"^/etc/ssh/$", "^/etc/dropbear/$", "^/usr/local/etc/$"}, look: hostKey},
		{ID: "ssh-key", Class: PrivateKey, Words: "an ssh key", Do: doSSH, names: []string{"*"}, below: []string{"/.ssh/"}, look: privateKey},
		{ID: "pgp-keys", Class: PrivateKey, Words: "PGP keys", Do: "revoke the keys and make new ones", Folder: true, names: []string{"private-keys-v1.d"}, below: []string{"/.gnupg/$"}},
		{ID: "wireguard", Class: PrivateKey, Words: "the key of a WireGuard network", Do: "make a new key pair, and change the public key at all peers", names: []string{"*.conf", "*.key"}, below: []string{"^/etc/wireguard/"}},
		{ID: "openvpn", Class: PrivateKey, Words: "the key of a VPN", Do: "revoke its certificate and make new ones", endings: []string{".ovpn", ".key"}, below: []string{"/openvpn/", "/easy-rsa/", "^/home/", "^/root/"}, look: holds("PRIVATE KEY-----", "OpenVPN Static key")},
		{ID: "ipsec", Class: PrivateKey, Words: "the secrets of IPsec", Do: doPassword, names: []string{"ipsec.secrets", "swanctl.conf"}, below: []string{"^/etc/"}, look: holds("PSK", "RSA", "EAP", "secret")},
		{ID: "tls-key", Class: Certificate, Words: "the key of a TLS certificate", Do: doTLS, names: []string{"privkey*.pem"}, endings: []string{".key", ".pem"}, below: []string{"^/etc/", "^/var/lib/", "^/usr/local/", "^/opt/", "^/usr/share/ssl/", "^/var/cpanel/", "^/root/.acme.sh/"}, look: privateKey},
		{ID: "tls-key", Class: Certificate, Words: "the key of a TLS certificate", Do: doTLS, names: []string{"*"}, below: []string{"^/etc/ssl/private/", "^/etc/pki/tls/private/"}, look: privateKey},
		{ID: "key-store", Class: Certificate, Words: "a store of keys", Do: doTLS, endings: []string{".p12", ".pfx", ".jks", ".keystore"}, below: append([]string{"^/etc/"}, kept...)},
		{ID: "loose-key", Class: PrivateKey, Words: "a private key", Do: "find out what it opens, and replace it there", endings: []string{".pem", ".key", ".ppk", "id_rsa", "id_ed25519", "id_dsa", "id_ecdsa"}, names: []string{"id_rsa", "id_ed25519", "id_dsa", "id_ecdsa"}, below: kept, look: privateKey},
		{ID: "kerberos", Class: PrivateKey, Words: "the server's keys in Kerberos", Do: "change the key of each principal in it and make a new keytab", names: []string{"krb5.keytab"}, endings: []string{".keytab"}, below: append([]string{"^/etc/"}, kept...)},
	}
}

func tokens() []Kind {
	return []Kind{
		{ID: "aws", Class: Token, Words: "access keys of Amazon's cloud", Do: "make the access keys inactive there, and look what was done with them", names: []string{"credentials", "config"}, below: []string{"/.aws/$"}, look: holds("aws_secret_access_key", "aws_session_token")},
		{ID: "google-cloud", Class: Token, Words: "credentials of Google's cloud", Do: doToken, names: []string{"credentials.db", "access_tokens.db", "application_default_credentials.json", "adc.json"}, below: []string{"/gcloud/"}},
		{ID: "azure", Class: Token, Words: "tokens of Microsoft's cloud", Do: doToken, names: []string{"accessTokens.json", "msal_token_cache.json", "msal_token_cache.bin", "service_principal_entries.json"}, below: []string{"/.azure/"}},
		{ID: "kubernetes", Class: Token, Words: "access to a Kubernetes cluster", Do: "revoke the certificate or token in the cluster, and look what was done with it", names: []string{"config", "admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf", "k3s.yaml", "rke2.yaml"}, below: []string{"/.kube/$", "^/etc/kubernetes/", "^/etc/rancher/"}},
		{ID: "docker-registry", Class: Token, Words: "logins of container registries", Do: doToken, names: []string{"config.json", "auth.json"}, below: []string{"/.docker/$", "/containers/$"}, look: holds(`"auth"`, `"identitytoken"`)},
		{ID: "git-credentials", Class: Token, Words: "passwords or tokens of git servers", Do: doToken, names: []string{".git-credentials"}, look: holds("://")},
		{ID: "git-credentials", Class: Token, Words: "passwords or tokens of git servers", Do: doToken, names: []string{"hosts.yml", "credentials"}, below: []string{"/.config/gh/$", "/.config/git/$"}, look: holds("://", "oauth_token")},
		{ID: "package-tokens", Class: Token, Words: "tokens of a package registry", Do: doToken, names: []string{".npmrc", ".pypirc", ".yarnrc.yml"}, look: holds("_authToken", "_auth=", "password", "npmAuthToken")},
		{ID: "package-tokens", Class: Token, Words: "tokens of a package registry", Do: doToken, names: []string{"auth.json", "credentials", "credentials.toml", "settings.xml"}, below: []string{"/.composer/$", "/.config/composer/$", "/.gem/$", "/.m2/$", "/.cargo/$"}, look: holds("oauth", "http-basic", "rubygems_api_key", "token", "<password>")},
		{ID: "object-storage", Class: Token, Words: "access to cloud storage", Do: doToken, names: []string{".s3cfg", ".boto", "rclone.conf", ".passwd-s3fs", "passwd-s3fs"}, look: holds("secret", "token", "pass", ":")},
		{ID: "infrastructure", Class: Token, Words: "tokens of tools that run servers", Do: doToken, names: []string{"credentials.tfrc.json", ".vault-token", "terraform.tfstate"}, below: kept},
		{ID: "ansible", Class: Token, Words: "the password of an Ansible vault", Do: "change every secret in the vault, and its password", names: []string{".vault_pass", ".vault_password", "vault_pass.txt", ".vault-pass", "vault_password"}},
		{ID: "acme-account", Class: Token, Words: "the account at the issuer of certificates", Do: "make a new account and remove the old one", names: []string{"private_key.json", "account.key"}, below: []string{"/letsencrypt/accounts/", "/.acme.sh/", "/acme/"}},
		{ID: "borg-keys", Class: Token, Words: "keys of Borg's backups", Do: "make a new repository with a new key", Folder: true, names: []string{"keys"}, below: []string{"/.config/borg/$"}},
	}
}

func passwords() []Kind {
	return []Kind{
		{ID: "mysql-client", Class: Password, Words: "a MySQL password", Do: "change the password in it and in the database", names: []string{".my.cnf", ".mylogin.cnf", "my.cnf", "debian.cnf", ".mysql.cnf"}, below: []string{"^/root/", "^/home/", "^/etc/mysql/$", "^/var/"}, look: clientPassword},
		{ID: "postgresql-client", Class: Password, Words: "a PostgreSQL password", Do: "change the password in it and in the database", names: []string{".pgpass", "pgpass.conf"}},
		{ID: "netrc", Class: Password, Words: "passwords of other servers", Do: doPassword, names: []string{".netrc", "_netrc", ".fetchmailrc"}, look: holds("password", "pass ")},
		{ID: "mail-relay", Class: Password, Words: "the password of a mail relay", Do: "change the password at the relay and in it", names: []string{"sasl_passwd", "sasl_passwd.db", "relay_password", "passwd.client", "smtp_auth", ".msmtprc", "msmtprc", "ssmtp.conf", "revaliases", ".mailrc"}, look: relayPassword},
		{ID: "mail-database", Class: Password, Words: "the password of the mail server's database", Do: doDatabase, names: []string{"mysql*.cf", "pgsql*.cf", "mysql_*", "dovecot-sql.conf*", "dovecot-ldap.conf*", "*-sql.cf"}, below: []string{"^/etc/postfix/", "^/etc/dovecot/"}, look: setsPassword},
		{ID: "rsync", Class: Password, Words: "passwords of rsync", Do: doPassword, names: []string{"rsyncd.secrets", "rsync.secrets", "rsync.pass", ".rsync_pass", "rsync_password"}},
		{ID: "backup", Class: Password, Words: "the password of the backups", Do: "change the password of the backup repository, and see that the old one opens nothing", names: []string{"borgmatic.yaml", "restic.env", "restic-password", ".restic-password", "restic_password", ".restic_password", "borg-passphrase", ".borg-passphrase", "borg_passphrase", "bacula-fd.conf", "bacula-dir.conf", "bareos-fd.conf"},
			below: []string{"^/etc/borgmatic/", "^/etc/$", "^/root/", "^/home/", "^/etc/bacula/", "^/etc/bareos/", "^/etc/restic/", "^/etc/borg/"}, look: backupPassword},
		{ID: "backup", Class: Password, Words: "the password of the backups", Do: "change the password of the backup repository, and see that the old one opens nothing", names: []string{"*.yaml", "*.yml"}, below: []string{"/borgmatic/$", "/borgmatic.d/$"}, look: holds("passphrase", "password")},
		{ID: "share", Class: Password, Words: "the password of a network share", Do: doPassword, names: []string{".smbcredentials", "smbcredentials", ".smbcred", "cifs.cred", ".cifs", "credentials.smb", "davfs2.conf", "secrets"}, below: []string{"^/etc/$", "^/etc/samba/", "^/root/", "^/home/", "/davfs2/", "/.davfs2/"}, look: setsPassword},
		{ID: "dial-in", Class: Password, Words: "passwords of the network's provider or VPN", Do: doPassword, names: []string{"chap-secrets", "pap-secrets"}, below: []string{"^/etc/ppp/$"}, look: settings},
		{ID: "network", Class: Password, Words: "the password of a network", Do: doPassword, names: []string{"*.nmconnection", "wpa_supplicant*.conf"}, below: []string{"/system-connections/", "^/etc/wpa_supplicant/"}, look: holds("psk=", "password=", "private-key=")},
		{ID: "directory", Class: Password, Words: "the password with which the server asks the directory", Do: doPassword, names: []string{"sssd.conf", "nslcd.conf", "pam_ldap.secret", "ldap.secret", "libnss-ldap.secret", "secrets.tdb"}, below: []string{"^/etc/", "^/var/lib/samba/"}, look: directoryPassword},
		{ID: "redis", Class: Password, Words: "the password of Redis", Do: "change the password in it and in what uses it", names: []string{"redis.conf", "sentinel.conf", "users.acl"}, below: []string{"^/etc/"}, look: lineBegins("requirepass ", "masterauth ", "user ")},
		{ID: "monitoring", Class: Password, Words: "the password of the monitoring's database", Do: doDatabase, names: []string{"zabbix_server.conf", "zabbix_proxy.conf", "zabbix.conf.php", "ido-mysql.conf", "grafana.ini"}, below: []string{"^/etc/"}, look: setsPassword},
		{ID: "panel", Class: Password, Words: "the password of the control panel or its database", Do: doPassword, names: []string{".psa.shadow", "mysql.conf", "da_admin", "mysql_clientdb.conf", "config.inc.php", "accesshash"}, below: []string{"^/etc/psa/$", "^/usr/local/directadmin/conf/$", "^/usr/local/ispconfig/", "^/root/.accesshash"}},
		{ID: "tomcat", Class: Password, Words: "passwords of the application server", Do: doPassword, names: []string{"tomcat-users.xml", "context.xml", "server.xml", "mgmt-users.properties"}, look: setsPassword},
		{ID: "ssh-vault", Class: Password, Words: "a store of passwords", Do: "change every password in it", endings: []string{".kdbx", ".kdb", ".psafe3"}, below: kept},
	}
}
