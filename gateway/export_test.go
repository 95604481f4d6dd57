package gateway

// SocketDrops is socketDrops for the sockets of tests.
var SocketDrops = socketDrops
