package web

import "testing"

func TestSQLPage(t *testing.T) {
	for url, want := range map[string]bool{
		"/phpmyadmin/index.php?route=/import": true, "/pma/index.php?a=1&route=%2Fsql&server=1": true, "/phpMyAdmin/import.php": true, "/phpmyadmin/tbl_sql.php?db=x": true,
		"/tools/adminer-4.8.1.php?username=root&db=shop&sql=": true, "/adminer.php?username=root": false, "/index.php?route=/checkout": false, "/index.php": false, "/shop/import.php": false, "/": false, "": false,
	} {
		if got := sqlPage([]byte(url)); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}
