package webscript

import "testing"

func TestHidesName(t *testing.T) {
	for s, want := range map[string]bool{
		`$f=str_replace('ut','','utcruteaututte_fuutnutction');`: true, `$a = strrev("edoced_46esab");`: true, `$x=str_ireplace("q", "", "qsysqtem");`: true,
		`$f=str_replace('-','_','create-function');`: false, `$s=str_replace('ut','',$input);`: false, `$s=strrev("olleh");`: false, `str_replace('a','','banana');`: false,
		`str_replace('','','system')`: false, `str_replace('x','`: false, `strrev(`: false, `$x = "base" . "64_decode";`: false, `str_replace(' ', '', 'system')`: false,
	} {
		if got := hidesName(s); got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
}
