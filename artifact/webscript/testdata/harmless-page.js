var gaJsHost = (("https:" == document.location.protocol) ? "https://ssl." : "http://www.");
document.write(unescape("%3Cscript src='" + gaJsHost + "google-analytics.com/ga.js' type='text/javascript'%3E%3C/script%3E"));
document.write(unescape("%3Cscript src='http://widgets.example.net/w.js'%3E%3C/script%3E"));
var mail=String.fromCharCode(60,97,32,104,114,101,102,61,34,109,97,105,108,116,111,58,105,110,102,111,64,101,120,97,109,112,108,101,46,110,101,116,34,62,120,60,47,97,62);
var s="\x68\x74\x74\x70\x3a\x2f\x2f",auth='Basic '+btoa(user+':'+pass);fetch('https://api.example.net/',{headers:{a:auth}});
