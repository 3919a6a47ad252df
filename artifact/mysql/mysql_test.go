package mysql_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/mysql"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, mysql.New()) }

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, mysql.New, "2024-03-14T02:11:09.1Z\t    8 Query\tSELECT '\n2024-03-14T02:11:09.1Z\t    8 Connect\ta@b on  using TCP/IP\n", "# Time: 240314  2:11:09\n# User@Host: a[a] @ b []\nSET timestamp=1;\nselect 1;\n")
}

func run(t *testing.T, in string) string {
	return string(artifacttest.Run(t, mysql.New(), artifacttest.Input([]byte(in))))
}

// What the statement of each reaches beyond its tables, as the event says it; "" where it does not.
func TestStatements(t *testing.T) {
	for stmt, want := range map[string]string{
		"SELECT 1": "", "SELECT 'INTO OUTFILE ''/a'''": "", "SELECT /* INTO OUTFILE '/a' */ 1": "", "SELECT 1 -- INTO OUTFILE '/a'": "", "SELECT 1 # INTO OUTFILE '/a'": "",
		"SELECT `load_file` FROM t": "", "INSERT INTO t VALUES ('pay in bitcoin')": "", "SELECT user FROM mysql.user": "", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t": "", "SET NAMES utf8": "",
		"INSERT INTO t (file, user) VALUES (1, 2)": "", "DROP TABLE t": "", "CREATE TABLE t (user int)": "", "SHOW VARIABLES LIKE 'general_log'": "", "UPDATE t SET soname=1": "database-command",
		"select 1 into/**/outfile '/a'":                   "file.path=/a ",
		"SELECT 1 /*!50000 INTO OUTFILE '/a'*/":           "file.path=/a ",
		`SELECT '\' INTO DUMPFILE "/a b.php"`:             "",
		`SELECT 'x\'' INTO DUMPFILE "/a b.php"`:           `file.path="/a b.php"`,
		"SELECT LOAD_FILE('/etc/passwd')":                 "file.path=/etc/passwd ",
		"SELECT load_file( 0x2f61 )":                      "file.path=/a ",
		"SELECT load_file(concat('/', 'a'))":              "database-command",
		"LOAD DATA INFILE '/etc/passwd' INTO TABLE t":     "file.path=/etc/passwd ",
		"CREATE FUNCTION f RETURNS int SONAME 'u.so'":     "file.path=u.so ",
		"INSTALL PLUGIN p SONAME 'p.so'":                  "file.path=p.so ",
		"SELECT sys_eval('id')":                           "database-command",
		"SET GLOBAL general_log_file='/a.php'":            "setting.name=general_log_file setting.value=/a.php ",
		"set @@global.general_log = 1":                    "setting.name=general_log setting.value=1 ",
		"CREATE USER 'a'@'%' IDENTIFIED BY 'x'":           "database-command",
		"GRANT ALL PRIVILEGES ON *.* TO 'a'@'%'":          "database-command",
		"GRANT SELECT ON a.* TO 'b'@'c'":                  "",
		"DROP DATABASE shop":                              "database-command",
		"INSERT INTO mysql.user VALUES (1)":               "database-command",
		"CREATE TABLE README_TO_RECOVER_A (t text)":       "database-command",
		"CREATE TABLE IF NOT EXISTS `WARNING` (t text)":   "",
		"INSERT INTO WARNING VALUES ('x')":                "database-command",
		"INSERT INTO z VALUES ('Your data ... 0.01 BTC')": "database-command",
		"CREATE DATABASE PLEASE_READ_ME_VVV":              "database-command",
	} {
		got := run(t, "2024-03-14T02:11:09.123456Z\t    8 Query\t"+stmt+"\n")
		if want == "" && strings.Contains(got, "database-command") || !strings.Contains(got, want) {
			t.Errorf("%s: want %q, got\n%s", stmt, want, got)
		}
	}
}

func TestBinaryFilesAside(t *testing.T) {
	in := artifacttest.Input(make([]byte, 100))
	in.Path = "/var/lib/mysql/tc.log"
	if got := string(artifacttest.Run(t, mysql.New(), in)); strings.Contains(got, "damage") {
		t.Error(got)
	}
}

// A literal left open hides logins behind it for a while, not for ever.
func TestDoubtEnds(t *testing.T) {
	in := "240314  2:11:09\t    8 Query\tSELECT '\n" + strings.Repeat("240314  2:11:09\t    8 Query\tSELECT 1\n", 300) + "240314  2:11:09\t    9 Connect\troot@203.0.113.5 on  using TCP/IP\n"
	if got := run(t, in); !strings.Contains(got, "auth-accepted") {
		t.Error(got)
	}
}

func TestSniff(t *testing.T) {
	sniff := mysql.New().Sniff
	for in, want := range map[string]bool{
		"2024-03-14  2:11:09 8 [Note] x": true, "240314  2:11:09 [Warning] x": true, "a\nTcp port: 1\nTime Id\n240314  2:11:09\t    3 Quit\t\n": true, "# Time: 240314  2:11:09\n": true,
		"": false, "2024-03-14 02:11:09 x": false, "2024-03-14 02:11:09 [ERROR] x": false, "# Time: 2024": false, "2024-03-14 02:11:09.123 UTC [812] LOG:  x": false, "Mar 14 02:11:09 host mysqld[1]: [Note] x": false,
	} {
		if sniff([]byte(in)) != want {
			t.Errorf("%q: want %v", in, want)
		}
	}
}

func benchmark(b *testing.B, line string) {
	data := bytes.Repeat([]byte(line), 10000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for range mysql.New().Parse(context.Background(), artifacttest.Input(data)) {
		}
	}
}

func BenchmarkGeneral(b *testing.B) {
	benchmark(b, "2024-03-14T02:11:09.123456Z\t    8 Query\tSELECT option_value FROM wp_options WHERE option_name = 'siteurl' LIMIT 1\n")
}

func BenchmarkErrors(b *testing.B) {
	benchmark(b, "2024-03-14T02:11:09.123456Z 8 [Note] [MY-010926] [Server] Access denied for user 'root'@'203.0.113.5' (using password: YES)\n")
}
