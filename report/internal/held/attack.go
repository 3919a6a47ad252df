package held

// attack are the names of ATT&CK's techniques, Enterprise, version 17, that detections and rules of ours name.
var attack = map[string]string{
	"T1003.008": "/etc/passwd and /etc/shadow", "T1014": "Rootkit", "T1021.004": "SSH", "T1027.002": "Software Packing", "T1036": "Masquerading",
	"T1036.005": "Match Legitimate Resource Name or Location", "T1036.008": "Masquerade File Type", "T1037": "Boot or Logon Initialization Scripts",
	"T1037.004": "RC Scripts", "T1040": "Network Sniffing", "T1046": "Network Service Discovery", "T1048": "Exfiltration Over Alternative Protocol",
	"T1053.002": "At", "T1053.003": "Cron", "T1053.006": "Systemd Timers", "T1059": "Command and Scripting Interpreter", "T1059.004": "Unix Shell",
	"T1068": "Exploitation for Privilege Escalation", "T1070": "Indicator Removal", "T1070.002": "Clear Linux or Mac System Logs",
	"T1070.003": "Clear Command History", "T1070.004": "File Deletion", "T1070.006": "Timestomp", "T1071": "Application Layer Protocol",
	"T1071.003": "Mail Protocols", "T1078": "Valid Accounts", "T1082": "System Information Discovery", "T1087": "Account Discovery", "T1090": "Proxy",
	"T1098": "Account Manipulation", "T1098.004": "SSH Authorized Keys", "T1105": "Ingress Tool Transfer", "T1110": "Brute Force",
	"T1110.001": "Password Guessing", "T1110.003": "Password Spraying", "T1110.004": "Credential Stuffing", "T1136.001": "Local Account",
	"T1190": "Exploit Public-Facing Application", "T1195": "Supply Chain Compromise", "T1195.002": "Compromise Software Supply Chain",
	"T1205.002": "Socket Filters", "T1219": "Remote Access Tools", "T1222.002": "Linux and Mac File and Directory Permissions Modification",
	"T1485": "Data Destruction", "T1496": "Resource Hijacking", "T1496.003": "SMS Pumping", "T1498": "Network Denial of Service",
	"T1498.002": "Reflection Amplification", "T1505.001": "SQL Stored Procedures", "T1505.003": "Web Shell", "T1505.004": "IIS Components",
	"T1531": "Account Access Removal", "T1534": "Internal Spearphishing", "T1542": "Pre-OS Boot", "T1543": "Create or Modify System Process",
	"T1543.002": "Systemd Service", "T1543.005": "Container Service", "T1546": "Event Triggered Execution",
	"T1546.004": "Unix Shell Configuration Modification", "T1546.016": "Installer Packages", "T1546.017": "Udev Rules",
	"T1546.018": "Python Startup Hooks", "T1547.006": "Kernel Modules and Extensions", "T1547.013": "XDG Autostart Entries",
	"T1548": "Abuse Elevation Control Mechanism", "T1548.001": "Setuid and Setgid", "T1548.003": "Sudo and Sudo Caching",
	"T1554": "Compromise Host Software Binary", "T1556.003": "Pluggable Authentication Modules", "T1562.001": "Disable or Modify Tools",
	"T1564.001": "Hidden Files and Directories", "T1567": "Exfiltration Over Web Service", "T1572": "Protocol Tunneling",
	"T1574": "Hijack Execution Flow", "T1574.006": "Dynamic Linker Hijacking", "T1584": "Compromise Infrastructure",
	"T1589": "Gather Victim Identity Information", "T1590.002": "DNS", "T1595": "Active Scanning", "T1595.001": "Scanning IP Blocks",
	"T1595.002": "Vulnerability Scanning", "T1595.003": "Wordlist Scanning", "T1610": "Deploy Container", "T1611": "Escape to Host",
	"T1620": "Reflective Code Loading",
}
