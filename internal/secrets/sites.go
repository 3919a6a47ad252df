package secrets

// sites are the settings of web applications: they lie wherever a site was unpacked, so the name and a password within tell them.
func sites() []Kind {
	site := func(id, words string, names, below []string, look func([]byte) (string, bool)) Kind {
		return Kind{ID: id, Class: Password, Words: words, Do: doDatabase, names: names, below: below, look: look}
	}
	return []Kind{
		{ID: "wordpress", Class: Password, Words: "the password of WordPress's database, and the keys of its sessions", Do: "change the database password in it and in the database, make new keys and salts (that ends all sessions), and set new passwords for its administrators",
			names: []string{"wp-config.php", "wp-config.php.*", "wp-config.php~", "wp-config.bak", "wp-config.old", "wp-config.txt", ".wp-config.php.swp"}, look: holds("DB_PASSWORD")},
		site("joomla", "the password of Joomla's database, and its secret", []string{"configuration.php", "configuration.php.*", "configuration.php~"}, nil, holds("$password", "db_password", "cc_encryption_hash")),
		site("drupal", "the password of Drupal's database", []string{"settings.php", "settings.local.php"}, []string{"/sites/"}, holds("'password'", "hash_salt")),
		{ID: "environment", Class: Password, Words: "the passwords and keys of a web application", Do: "change each of them where it was given out, and make a new application key", names: []string{".env", ".env.*", "*.env"}, below: append([]string{"^/etc/"}, kept...), look: environment},
		site("magento", "the password of Magento's database, and its key", []string{"env.php", "local.xml"}, []string{"/app/etc/$"}, setsPassword),
		site("nextcloud", "the password of Nextcloud's database, and its secret", []string{"config.php"}, []string{"/config/$"}, holds("dbpassword", "'secret'")),
		site("phpmyadmin", "the settings and control password of phpMyAdmin or a mail client", []string{"config.inc.php", "config-db.php", "debian-db.php"}, []string{"phpmyadmin", "phpMyAdmin", "roundcube", "^/var/www/", "^/srv/", "^/home/"}, setsPassword),
		site("mediawiki", "the password of MediaWiki's database", []string{"LocalSettings.php"}, nil, holds("$wgDBpassword")),
		site("typo3", "the password of TYPO3's database", []string{"LocalConfiguration.php", "settings.php"}, []string{"/typo3conf/$", "/config/system/$"}, setsPassword),
		site("symfony", "the password of a web application's database", []string{"parameters.yml", "parameters.php", "parameters.yaml", "database.yml", "secrets.yml", "master.key", "credentials.yml.enc"}, []string{"/config/$", "/config/", "/app/"}, siteFile),
		site("web-application", "the password of a web application's database", []string{"config.php", "config.inc.php", "database.php", "db.php", "dbconfig.php", "db_config.php", "connect.php", "connection.php", "conn.php", "settings.inc.php", "local_settings.py", "settings.py", "application.properties", "application.yml", "application.yaml", "appsettings.json", "web.config", "config.yml", "config.ini", "config.json", "secrets.json", "config.php.bak", "config.php~"},
			[]string{"^/var/www/", "^/srv/", "^/home/", "^/opt/", "^/var/lib/", "^/etc/webapps/", "^/usr/local/www/", "^/root/"}, setsPassword),
	}
}

func data() []Kind {
	folder := func(id, words string, names, below []string) Kind {
		return Kind{ID: id, Class: Data, Words: words, Do: "think of whom the data is about: the law may want them, or an authority, told", Folder: true, names: names, below: below}
	}
	return []Kind{
		folder("database-files", "the files of the databases", []string{"mysql", "postgresql", "pgsql", "mongodb", "mongo", "mariadb", "ldap", "redis", "influxdb", "elasticsearch", "couchdb", "cassandra", "neo4j", "opensearch"}, []string{"^/var/lib/$"}),
		folder("mail", "stored mail", []string{"mail", "vmail", "vhosts", "virtual"}, []string{"^/var/$", "^/var/spool/$", "^/home/$", "^/home/?/$", "^/var/mail/$", "^/srv/$"}),
		folder("mail", "stored mail", []string{"Maildir", ".maildir", "mdbox", "sdbox"}, []string{"^/home/", "^/root/$", "^/var/qmail/", "^/home/vmail/"}),
		folder("backups", "backups", []string{"backup", "backups"}, []string{"^/$", "^/var/$", "^/srv/$", "^/home/$", "^/root/$", "^/opt/$", "^/mnt/$", "^/data/$"}),
		{ID: "dump", Class: Data, Words: "a dump of a database", Do: "think of whom the data is about: the law may want them, or an authority, told; change the passwords that it holds", endings: []string{".sql", ".sql.gz", ".sql.bz2", ".sql.xz", ".sql.zst", ".sql.zip", ".pgdump", ".mysqldump"}, below: kept, look: dumped},
	}
}
