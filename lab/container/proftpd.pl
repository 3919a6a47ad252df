#!/usr/bin/perl
# practice stand-in of ProFTPD 1.3.5: answers SITE CPFR and SITE CPTO of clients that never logged in, as CVE-2015-3306 does, and
# writes the logs that its configuration would. It knows nothing else.
use strict; use warnings; use Socket; use POSIX qw(strftime setuid setgid);
$SIG{CHLD} = 'IGNORE';
my $host = `hostname`; chomp $host;
open(my $system, '>>', '/var/log/proftpd/proftpd.log') or die; open(my $extended, '>>', '/var/log/proftpd/extended.log') or die;
$_->autoflush(1) for $system, $extended;
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die; setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, sockaddr_in(21, INADDR_ANY)) or die; listen($listener, 5) or die;
setgid(65534); setuid(65534); # nobody
sub stamp { strftime('%d/%b/%Y:%H:%M:%S %z', localtime) }
while (my $peer = accept(my $client, $listener)) {
	next if fork;
	my ($port, $address) = sockaddr_in($peer); my $ip = inet_ntoa($address);
	my $say = sub { printf $system "%s,000 %s proftpd[%d] %s (%s[%s]): %s\n", strftime('%Y-%m-%d %H:%M:%S', localtime), $host, $$, $host, $ip, $ip, $_[0] };
	my $command = sub { printf $extended "%s UNKNOWN nobody [%s] \"%s\" %d -\n", $ip, stamp(), $_[0], $_[1] };
	$client->autoflush(1); $say->('FTP session opened.'); print $client "220 ProFTPD 1.3.5 Server\r\n";
	my $source;
	while (my $line = <$client>) {
		$line =~ s/\r?\n$//;
		if ($line =~ /^SITE CPFR (.+)/i) { $source = $1; $command->($line, 350); print $client "350 File or directory exists, ready for destination name\r\n" }
		elsif ($line =~ /^SITE CPTO (\S+)(?: (.*))?$/i && defined $source) {
			my ($to, $carried) = ($1, defined $2 ? pack('H*', $2) : '');
			my $data = "proftpd: $ip:$port: SITE CPTO $carried";
			if ($source ne '/proc/self/cmdline' && open(my $in, '<', $source)) { local $/; $data = <$in> }
			if (open(my $out, '>', $to)) { print $out $data; close $out; $command->("SITE CPTO $to", 250); print $client "250 Copy successful\r\n" }
			else { $command->("SITE CPTO $to", 550); print $client "550 $to: $!\r\n" }
		}
		elsif ($line =~ /^QUIT/i) { print $client "221 Goodbye.\r\n"; last }
		else { my ($verb) = $line =~ /^(\w+)/; $command->($line, 530); print $client "530 Please login with USER and PASS\r\n" }
	}
	$say->('FTP session closed.'); exit 0;
}
