package dns

// lower copies a name in lower case; what is too long for a name that is known is cut.
func lower(b []byte, to *[32]byte) []byte {
	n := copy(to[:], b)
	for i, c := range to[:n] {
		if c >= 'A' && c <= 'Z' {
			to[i] = c | 0x20
		}
	}
	return to[:n]
}

// isPool tells the domains of mining pools. Each serves nothing else.
func isPool(domain []byte) bool {
	var room [32]byte
	switch string(lower(domain, &room)) {
	case "minexmr.com", "supportxmr.com", "nanopool.org", "moneroocean.stream", "hashvault.pro", "xmrpool.eu", "2miners.com", "c3pool.com", "c3pool.org", "herominers.com", "unmineable.com", "monerohash.com", "minergate.com", "crypto-pool.fr",
		"dwarfpool.com", "nicehash.com", "monerop.com", "poolto.be", "xmrpool.net", "f2pool.com", "flypool.org", "ethermine.org", "miningpoolhub.com", "zpool.ca", "prohashing.com", "kryptex.network", "skypool.org", "gntl.co.uk", "rplant.xyz", "zergpool.com":
		return true
	}
	return false
}

// service tells domains below which long names are everyday: block lists, virus scanners, networks that deliver content, and the trees of addresses.
func service(domain []byte) bool {
	var room [32]byte
	switch string(lower(domain, &room)) {
	case "in-addr.arpa", "ip6.arpa", "spamhaus.org", "spamhaus.net", "abuse.ch", "dnswl.org", "surbl.org", "uribl.com", "sorbs.net", "spamcop.net", "barracudacentral.org", "mailspike.net", "msbl.org", "rspamd.com", "invaluement.com", "mcafee.com", "sophosxl.net", "sophosxl.com",
		"trendmicro.com", "kaspersky.com", "kaspersky-labs.com", "e5.sk", "eset.com", "bitdefender.net", "avast.com", "avg.com", "webroot.com", "cymru.com", "amazonaws.com", "cloudfront.net", "akamai.net", "akamaiedge.net", "akamaihd.net", "edgekey.net", "edgesuite.net", "fastly.net",
		"azure.com", "windows.net", "azureedge.net", "googleusercontent.com", "googlevideo.com", "gvt1.com", "fbcdn.net", "footprintdns.com", "office.com", "microsoft.com", "apple.com", "icloud.com", "apple-dns.net", "cloudflare.net", "compute.internal", "cluster.local":
		return true
	}
	return false
}
