package postgresql_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/postgresql"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, postgresql.New()) }

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, postgresql.New) }

func run(t *testing.T, in string) string {
	return string(artifacttest.Run(t, postgresql.New(), artifacttest.Input([]byte(in))))
}

// What the statement of each reaches beyond its tables, as the event says it; "" where it does not.
func TestStatements(t *testing.T) {
	for stmt, want := range map[string]string{
		"SELECT 1": "", "COPY a FROM STDIN": "", "COPY a TO STDOUT": "", "SELECT 'COPY a FROM PROGRAM ''id'''": "", "SELECT 1 -- COPY a FROM PROGRAM 'id'": "", "SELECT /* /* */ lo_export(1, '/a') */ 1": "",
		"CREATE ROLE a LOGIN": "", "CREATE FUNCTION f() RETURNS int AS 'select 1/2' LANGUAGE sql": "", "CREATE EXTENSION pgcrypto": "", "DROP TABLE a": "", "SELECT lo_export FROM t": "", `SELECT "copy" FROM program`: "",
		"copy a from/**/program 'id'":        "database-command",
		"SELECT 1; COPY a FROM PROGRAM 'id'": "database-command",
		"COPY (SELECT '<?php') TO '/a.php'":  "file.path=/a.php ",
		"COPY a FROM E'/etc/passwd'":         "file.path=/etc/passwd ",
		"SELECT lo_export(12, '/a.so')":      "file.path=/a.so ",
		"SELECT pg_read_file('/etc/passwd')": "file.path=/etc/passwd ",
		"LOAD '/a.so'":                       "file.path=/a.so ",
		"CREATE OR REPLACE FUNCTION s(text) RETURNS int AS '/lib/libc.so.6', 'system' LANGUAGE 'c'": "",
		"CREATE OR REPLACE FUNCTION s(text) RETURNS int AS '/lib/libc.so.6', 'system' LANGUAGE C":   "file.path=/lib/libc.so.6 ",
		"CREATE FUNCTION s() RETURNS text AS $$ import os $$ LANGUAGE plpython3u":                   "database-command",
		"CREATE EXTENSION plpython3u":                                "database-command",
		"CREATE LANGUAGE plperlu":                                    "database-command",
		"CREATE ROLE a SUPERUSER":                                    "database-command",
		"ALTER USER a WITH SUPERUSER":                                "database-command",
		"GRANT pg_execute_server_program TO a":                       "database-command",
		"ALTER SYSTEM SET archive_command = 'id'":                    "setting.name=archive_command setting.value=id ",
		"ALTER SYSTEM SET ssl_passphrase_command TO 'id'":            "setting.name=ssl_passphrase_command setting.value=id ",
		"DO $x$ BEGIN EXECUTE 'COPY a FROM PROGRAM ''id'''; END $x$": "database-command",
		"DROP DATABASE shop":                                         "database-command",
		"CREATE TABLE README_TO_RECOVER (t text)":                    "database-command",
	} {
		got := run(t, "2024-03-14 02:11:09.123 UTC [812] app@shop LOG:  statement: "+stmt+"\n")
		if want == "" && strings.Contains(got, "database-command") || !strings.Contains(got, want) {
			t.Errorf("%s: want %q, got\n%s", stmt, want, got)
		}
	}
}

func TestZones(t *testing.T) {
	for stamp, want := range map[string]string{
		"2024-03-14 02:11:09.123 UTC": "T02:11:09.123Z", "2024-03-14 02:11:09 GMT": "T02:11:09Z", "2024-03-14 02:11:09.123 +03": "T23:11:09.123Z", "2024-03-14 02:11:09.123 -0330": "T05:41:09.123Z", "2024-03-14 02:11:09.123 CET": "T02:11:09.123Z",
	} {
		if got := run(t, stamp+" [812] LOG:  database system is ready to accept connections\n"); !strings.Contains(got, want) {
			t.Errorf("%s: want %s, got\n%s", stamp, want, got)
		}
	}
}

func TestSniff(t *testing.T) {
	sniff := postgresql.New().Sniff
	for in, want := range map[string]bool{
		"2024-03-14 02:11:09.123 UTC [812] LOG:  x\n": true, "2024-03-14 02:11:09 CET [812]: [1-1] user=,db= LOG:  x": true, "2024-03-14 02:11:09.123 UTC,,,812,,": true, `{"timestamp":"2024-03-14 02:11:09.123 UTC","error_severity":"LOG"}`: true,
		"": false, "2024-03-14 02:11:09 8 [Note] x": false, "2024-03-14T02:11:09 x": false, `{"timestamp":"x"}`: false,
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
		for range postgresql.New().Parse(context.Background(), artifacttest.Input(data)) {
		}
	}
}

func BenchmarkText(b *testing.B) {
	benchmark(b, "2024-03-14 02:11:09.123 UTC [812] app@shop LOG:  statement: SELECT id, name FROM product WHERE price < 10 ORDER BY name LIMIT 20\n")
}

func BenchmarkRefusals(b *testing.B) {
	benchmark(b, "2024-03-14 02:11:09.123 CET [812] postgres@app FATAL:  password authentication failed for user \"postgres\"\n")
}

func BenchmarkCSV(b *testing.B) {
	benchmark(b, `2024-03-14 02:11:09.123 UTC,"app","shop",9214,"127.0.0.1:34214",6b04669c.23fe,5,"idle",2024-03-14 02:11:00 UTC,3/3,0,LOG,00000,"statement: SELECT ""a"" FROM b;",,,,,,,,,"psql","client backend",,0`+"\n")
}
