package outward

// kind is what a port is for.
type kind uint8

const (
	other kind = iota
	usual      // what servers call all day: names, clocks, the web, mail, databases and monitoring elsewhere, tunnels that an administrator set up
	chat
	pool
)

// kindOf tells what a port is for. Below 1024 all are usual: who beats there is lost among the web's and the mail's.
func kindOf(port int64) kind {
	switch port {
	case 6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6697:
		return chat
	case 3333, 3334, 3335, 3336, 3357, 4444, 5555, 7777, 8333, 14433, 14444, 45560, 45700:
		return pool
	case 1194, 1433, 1514, 1515, 1521, 1723, 1883, 2049, 2195, 2196, 3128, 3268, 3269, 3306, 3307, 3478, 4317, 4318, 4500, 4505, 4506, 5044, 5223, 5228, 5432, 5433, 5665, 5666, 5671, 5672, 6379, 6380, 6514, 6556, 8000, 8080, 8086, 8125, 8140, 8200, 8300, 8301, 8443, 8883, 8888,
		9000, 9090, 9091, 9092, 9093, 9094, 9100, 9200, 9300, 9418, 10050, 10051, 11211, 11371, 19999, 24007, 25826, 27017, 51820:
		return usual
	}
	if port < 1024 {
		return usual
	}
	return other
}
