package web

import (
	"bytes"
	"path"
)

// sqlPage tells a request for a page of phpMyAdmin or Adminer by which SQL is run: "index.php?route=/import" since phpMyAdmin 5, "import.php" and "sql.php"
// before. Whoever may run SQL may let the database write a script.
func sqlPage(url []byte) bool {
	p, query, _ := bytes.Cut(bytes.ToLower(url), []byte("?"))
	base := path.Base(string(p))
	switch {
	case base == "index.php" || base == "/" || base == ".":
		_, route, ok := bytes.Cut(query, []byte("route="))
		route, _, _ = bytes.Cut(route, []byte("&"))
		r := decode(route)
		return ok && (r == "/import" || r == "/sql")
	case base == "import.php" || base == "sql.php" || base == "tbl_sql.php" || base == "db_sql.php" || base == "server_sql.php":
		return bytes.Contains(p, []byte("phpmyadmin")) || bytes.Contains(p, []byte("pma")) || bytes.Contains(p, []byte("dbadmin"))
	}
	return bytes.HasPrefix([]byte(base), []byte("adminer")) && bytes.Contains(query, []byte("sql="))
}

// bySQLPage tells that a file was written behind a request that ran SQL, and not by the web server: by the database, whose account's name the evidence
// may not hold.
func (p *post) bySQLPage(x *file) bool { return p.sql && !webAccounts[x.owner] }
